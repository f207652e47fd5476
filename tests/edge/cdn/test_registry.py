from __future__ import annotations

import gc
import re
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

import httpx
import pytest

from app import config, create_app
from app.edge import PolicyError
from app.edge import cdn as room
from app.edge.cdn import DRIVER_SETTINGS, Driver, SupportsCheck, build_driver, why_not_purgeable
from app.edge.cdn.settings import CDN_SETTINGS
from app.edge.policy.cdn_headers import DIALECTS
from app.edge.settings import SETTINGS

SITE = "https://www.example.org"
FULL: Mapping[str, Mapping[str, object]] = {
    "cloudflare": {"EDGE_CLOUDFLARE_TOKEN": "s3cret-cf", "EDGE_CLOUDFLARE_ZONE": "0" * 32},
    "fastly": {"EDGE_FASTLY_TOKEN": "s3cret-fastly", "EDGE_FASTLY_SERVICE": "SU1Z0isx"},
    "cloudfront": {
        "EDGE_CLOUDFRONT_DISTRIBUTION": "E2EXAMPLE",
        "EDGE_CLOUDFRONT_KEY": "AKIDs3cret",
        "EDGE_CLOUDFRONT_SECRET": "s3cret/aws",
    },
    # Flask's own reader makes numbers of digits.
    "bunny": {"EDGE_BUNNY_KEY": "s3cret-bunny", "EDGE_BUNNY_ZONE": 4711},
    "varnish": {
        "EDGE_VARNISH_NODES": "http://10.0.0.2:6081, https://[::1]",
        "EDGE_VARNISH_SECRET": "s3cret-varnish",
    },
    "generic": {"EDGE_PURGE_URL": "http://10.0.0.2:8080", "EDGE_PURGE_SECRET": "Bearer s3cret"},
}
"""The required settings of each driver, with a secret if it has one."""
every_driver = pytest.mark.parametrize("name", FULL)


def make_driver(name: str, **overrides: object) -> Driver:
    """Build a driver with all required settings and these overrides."""
    driver = build_driver(name, {**FULL[name], **overrides}, site=SITE)
    assert driver is not None
    return driver


def test_every_dialect_that_is_an_edge_has_its_keys() -> None:
    """Each edge in EDGE has a driver, or a reason why it has none."""
    assert set(DRIVER_SETTINGS) == set(DIALECTS) - {"broadsheet"}


def test_every_key_is_a_setting_and_every_setting_a_key() -> None:
    """In the library's table and in the site's, with the same secrets."""
    keys = {key for settings in DRIVER_SETTINGS.values() for key in settings.all}
    assert keys == {setting.name for setting in CDN_SETTINGS}
    assert keys <= {setting.name for setting in SETTINGS}
    secret = {setting.name for setting in CDN_SETTINGS if setting.secret}
    assert secret == {setting.name for setting in config.SETTINGS if setting.secret} & keys


@pytest.mark.parametrize("name", sorted(DRIVER_SETTINGS))
def test_without_credentials_there_is_no_driver(name: str) -> None:
    """A sentence says why; the defaults of the settings don't make one."""
    defaults = {setting.name: setting.default for setting in CDN_SETTINGS}
    for configuration in ({}, defaults, dict.fromkeys(DRIVER_SETTINGS[name].required, "  ")):
        assert build_driver(name, configuration, site=SITE) is None
    reason = why_not_purgeable(name, {})
    assert reason is not None
    assert re.fullmatch(rf"{name}: .+\.", reason)
    assert all(key in reason for key in DRIVER_SETTINGS[name].required)


def test_nginx_says_what_it_can_not_do() -> None:
    """The open-source build has no purge, so no setting creates a driver."""
    assert build_driver("nginx", {"EDGE_PURGE_URL": "http://10.0.0.2"}, site=SITE) is None
    assert "EDGE_TTL_CAP" in str(why_not_purgeable("nginx", {}))


@every_driver
def test_with_credentials_there_is_one(name: str) -> None:
    """With all required settings the edge can be purged."""
    driver = make_driver(name)
    assert driver.limits.batch >= 1
    assert why_not_purgeable(name, FULL[name]) is None
    assert isinstance(driver, SupportsCheck) is (name != "generic")


@every_driver
def test_half_of_the_credentials_are_a_mistake(name: str) -> None:
    """The error names the setting that is missing."""
    needed = (*DRIVER_SETTINGS[name].required, *DRIVER_SETTINGS[name].required_shared)
    for missing in needed[1:]:
        with pytest.raises(PolicyError, match=missing):
            build_driver(name, {**FULL[name], missing: ""}, site=SITE)


def test_keys_of_aws_alone_are_for_something_else() -> None:
    """Other programs read the same variables; the distribution makes the driver."""
    configuration = {**FULL["cloudfront"], "EDGE_CLOUDFRONT_DISTRIBUTION": ""}
    assert build_driver("cloudfront", configuration, site=SITE) is None


@pytest.mark.parametrize(
    ("name", "setting", "value"),
    [
        ("cloudflare", "EDGE_CLOUDFLARE_ZONE", "example.org"),
        ("cloudflare", "EDGE_CLOUDFLARE_ZONE", "../../user"),
        ("cloudflare", "EDGE_CLOUDFLARE_PLAN", "gold"),
        ("cloudflare", "EDGE_CLOUDFLARE_BY", "host"),
        ("fastly", "EDGE_FASTLY_SERVICE", "a/b"),
        ("cloudfront", "EDGE_CLOUDFRONT_DISTRIBUTION", "d111.cloudfront.net"),
        ("cloudfront", "EDGE_CLOUDFRONT_BY", "url"),
        ("bunny", "EDGE_BUNNY_ZONE", "my-zone"),
        ("varnish", "EDGE_VARNISH_NODES", "varnish:6081"),
        ("varnish", "EDGE_VARNISH_NODES", "http://[::1"),
        ("varnish", "EDGE_VARNISH_NODES", "http://10.0.0.2/purge"),
        ("varnish", "EDGE_VARNISH_NODES", "http://me:hidden@10.0.0.2"),
        ("varnish", "EDGE_VARNISH_NODES", ","),
        ("generic", "EDGE_PURGE_URL", "10.0.0.2"),
        ("generic", "EDGE_PURGE_METHOD", "PURGE /"),
        ("generic", "EDGE_PURGE_HEADER", "X Key"),
        ("generic", "EDGE_PURGE_ALL", "*"),
    ],
    ids=lambda value: re.sub(r"[^\w.*-]+", "_", value) if isinstance(value, str) else None,
)
def test_a_setting_that_can_not_be_right_is_refused(name: str, setting: str, value: str) -> None:
    """In a sentence that names it, at the start."""
    with pytest.raises(PolicyError, match=setting) as error:
        make_driver(name, **{setting: value})
    assert "hidden" not in str(error.value)


@every_driver
def test_a_secret_that_would_break_a_header_is_refused_without_being_shown(name: str) -> None:
    """A line break that came along with the clipboard, or another alphabet."""
    setting = next(
        key for key in DRIVER_SETTINGS[name].all if "s3cret" in str(FULL[name].get(key, ""))
    )
    for broken in ("s3cret\r\nX: y", "s3crét", "s3cret\x00"):
        with pytest.raises(PolicyError, match=setting) as error:
            make_driver(name, **{setting: broken})
        assert "s3cr" not in str(error.value)


@every_driver
def test_no_driver_shows_its_secret(name: str) -> None:
    """Neither it nor anything that it holds, as a debugger or a crash report prints them."""
    visited: set[int] = set()
    queue: list[object] = [make_driver(name)]
    while queue:
        member = queue.pop()
        if id(member) in visited or not type(member).__module__.startswith(room.__name__):
            continue
        visited.add(id(member))
        assert "s3cret" not in repr(member), type(member)
        queue += [each for each in gc.get_referents(member) if not isinstance(each, type)]
        queue += [
            each for referent in gc.get_referents(member) for each in gc.get_referents(referent)
        ]
    assert visited


def row(name: str) -> list[str]:
    """A driver as the README's table has it."""
    keys, driver = DRIVER_SETTINGS[name], build_driver(name, FULL.get(name, {}), site=SITE)
    needs = (
        ", ".join(f"`{key}`" for key in (*keys.required, *keys.required_shared))
        or "can't be purged"
    )
    if driver is None:
        return [name, "", "", "", "", needs]
    limits = driver.limits
    rate = "any number"
    if limits.per_second is not None:
        rate = f"{limits.burst}, then {limits.per_second:.3g} a second"
    checked = "yes" if isinstance(driver, SupportsCheck) else "no"
    timeout = f"{limits.timeout.total_seconds():g} s"
    return [name, str(limits.batch), rate, timeout, checked, needs]


def test_the_readme_lists_every_driver_with_its_limits() -> None:
    """The table shows the drivers that `build_driver` builds from the required settings."""
    text = Path(room.__file__).with_name("README.md").read_text(encoding="utf-8")
    table = text.split("<!-- drivers -->\n")[1].split("<!-- /drivers -->")[0]
    rows = [line.strip("|").split("|") for line in table.strip().splitlines()[2:]]
    assert [[cell.strip() for cell in cells] for cells in rows] == [
        row(name) for name in DRIVER_SETTINGS
    ]


@pytest.mark.parametrize("name", DRIVER_SETTINGS)
def test_each_driver_tells_its_limits_in_its_first_lines(name: str) -> None:
    """The docstring has a table of tags, purges and credentials."""
    if not DRIVER_SETTINGS[name].required:
        return
    module = import_module(f"{room.__name__}.{name}")
    docstring = getattr(module, "driver", module).__doc__
    tags = DIALECTS[name].tags
    assert docstring is not None
    assert all(f"| {what} |" in docstring for what in ("everything", "credentials", "second purge"))
    assert name == "generic" or f"`{tags}`" in docstring


def test_an_edge_without_a_driver_is_refused() -> None:
    """The error names the known edges."""
    with pytest.raises(
        PolicyError, match=r"'akamai' is not an edge .* Known edges: bunny, cloudflare"
    ):
        build_driver("akamai", {}, site=SITE)


def test_a_client_of_the_callers_own_is_used() -> None:
    """The driver uses the given client with its TLS and proxy settings."""
    requests: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, json={"success": True})

    with httpx.Client(transport=httpx.MockTransport(answer)) as client:
        driver = build_driver("cloudflare", FULL["cloudflare"], site=SITE, client=client)
        assert driver is not None
        driver.purge_everything()
    assert str(requests[0].url) == (
        f"https://api.cloudflare.com/client/v4/zones/{'0' * 32}/purge_cache"
    )
    assert requests[0].headers["Authorization"] == "Bearer s3cret-cf"


def test_secrets_are_masked_where_settings_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the listing for people and in that for programs, whichever variable they came by."""
    monkeypatch.setenv("FLASK_EDGE_CLOUDFLARE_TOKEN", "s3cret-cf")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret/aws")
    app = create_app({"INSTANCE": str(tmp_path), "SECRET_KEY": "k", "EDGE_GATEWAY": False})
    assert app.config["EDGE_CLOUDFRONT_SECRET"] == "s3cret/aws"
    output = app.test_cli_runner().invoke(args=["config"]).output + config.as_json(app)
    assert "EDGE_CLOUDFLARE_TOKEN" in output
    assert "s3cret" not in output


def test_what_is_missing_is_said_in_good_english() -> None:
    """One key is, two are."""
    assert str(why_not_purgeable("generic", {})).endswith("until EDGE_PURGE_URL is set.")
    assert str(why_not_purgeable("bunny", {})).endswith(
        "until EDGE_BUNNY_KEY and EDGE_BUNNY_ZONE are set."
    )
