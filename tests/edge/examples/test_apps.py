"""The apps in `examples/` run with a copy of the library, and their pages are stored and purged."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ..library_copy import ROOT, copy_library, run_code

pytestmark = [pytest.mark.slow, pytest.mark.ci]

FOLDER = ROOT / "examples"
APPS = ("headers_only", "json_api", "microblog", "shop", "wsgi")
SITE = "http://localhost:8000"

REQUEST_ALL = """
import json
from werkzeug.test import Client

{setup}
client = Client(application)
responses = []
for request in {requests!r}:
    response = client.open(base_url={site!r}, **request)
    responses.append([response.status_code, dict(response.headers), response.text])
print(json.dumps(responses))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A response of an example."""

    status: int
    headers: dict[str, str]
    text: str

    @property
    def is_hit(self) -> bool:
        """Whether the gateway served a stored response."""
        return "hit" in re.split(r"; ?", self.headers.get("Cache-Status", ""))

    @property
    def is_miss(self) -> bool:
        """Whether the app rendered the response.

        On a busy machine a page that is rendered while a purge is carried out is not stored.
        """
        return "fwd=" in self.headers.get("Cache-Status", "")


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the library under its public name."""
    return copy_library(tmp_path_factory.mktemp("packages"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs one example in a folder of its own."""

    packages: Path
    folder: Path

    def request(self, name: str, *requests: dict[str, Any], setup: str = "") -> list[Answer]:
        """Send requests to an example one after the other, and return the responses."""
        copy = self.folder / name
        shutil.copytree(FOLDER / name, copy, ignore=shutil.ignore_patterns("*.pyc"))
        setup = setup or "from app import app as application"
        code = REQUEST_ALL.format(requests=requests, setup=setup, site=SITE)
        output = run_code(code, packages=self.packages, cwd=copy)
        return [
            Answer(status=status, headers=headers, text=text)
            for status, headers, text in json.loads(output)
        ]


@pytest.fixture
def examples(packages: Path, tmp_path: Path) -> Runner:
    """Return the runner of the examples."""
    return Runner(packages=packages, folder=tmp_path)


def get(path: str, **options: Any) -> dict[str, Any]:
    """Return the arguments of a GET request."""
    return {"path": path, **options}


def post(path: str, **data: str) -> dict[str, Any]:
    """Return the arguments of a POST request."""
    return {"path": path, "method": "POST", "data": data}


def test_every_example_is_run_here() -> None:
    """And the README lists each with its folder."""
    names = sorted(path.parent.name for path in FOLDER.glob("*/app.py"))
    assert tuple(names) == APPS
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert re.findall(r"\]\((\w+)/app\.py\)", readme) == sorted(APPS)


def test_the_headers_of_an_app_without_a_gateway_make_a_hit_at_a_cdn(examples: Runner) -> None:
    """A cache of RFC 9111 in front stores the public pages, and the private page is `no-store`."""
    setup = """
from app import app
from flask_edgecache.gateway import Gateway, MemoryStore
application = Gateway(app, store=MemoryStore())
"""
    first, second, results, account, missing = examples.request(
        "headers_only",
        get("/"),
        get("/"),
        get("/search?q=flask"),
        get("/account"),
        get("/nowhere"),
        setup=setup,
    )
    assert first.is_miss
    assert second.is_hit
    assert first.headers["Cache-Control"] == "max-age=0, s-maxage=86400"
    assert results.text == '{"results_for":"flask"}\n'
    assert account.headers["Cache-Control"] == "no-store"
    assert missing.headers["Cache-Control"] == "max-age=60"


def test_the_headers_of_an_app_without_a_gateway_are_those_of_its_policies(
    examples: Runner,
) -> None:
    """Without a cache in front no response has Cache-Status; a tracker parameter is removed."""
    home, prices, redirect = examples.request(
        "headers_only", get("/"), get("/prices"), get("/search?q=flask&page=2")
    )
    assert "Cache-Status" not in home.headers
    assert prices.headers["Cache-Control"] == "max-age=60, stale-while-revalidate=30"
    assert redirect.headers["Location"] == "/search?q=flask"


def test_a_page_of_the_microblog_is_stored_until_its_rows_change(examples: Runner) -> None:
    """A post of another author purges the home page and not the timeline of the first author."""
    empty, _, empty_again, redirect, home, *timelines, _, other_home, timeline = examples.request(
        "microblog",
        *[get("/")] * 3,
        post("/", name="ann", text="Hello"),
        get("/"),
        *[get("/ann")] * 3,
        post("/", name="bob", text="Bonjour"),
        get("/"),
        get("/ann"),
    )
    assert (empty.is_miss, empty_again.is_hit) == (True, True)
    assert redirect.status == 303
    assert home.is_miss
    assert "Hello" in home.text
    assert [each.is_hit for each in timelines[::2]] == [False, True]
    assert other_home.is_miss
    assert "Bonjour" in other_home.text
    assert timeline.is_hit


ADD_PRODUCT = """
from app import Product, app as application, db
with application.app_context():
    db.session.add(Product(id=1, name="Cup", cents=950, stock=3))
    db.session.commit()
"""


def test_the_corner_of_the_shop_is_private_and_its_pages_are_shared(examples: Runner) -> None:
    """A logged-in reader gets the stored page, and the corner with the name."""
    first, _, stranger, login, page, corner = examples.request(
        "shop",
        *[get("/products/1")] * 2,
        get("/corner"),
        post("/login", name="Ann"),
        get("/products/1"),
        get("/corner"),
        setup=ADD_PRODUCT,
    )
    assert first.is_miss
    assert "Log in" in stranger.text
    assert "Set-Cookie" in login.headers
    assert page.is_hit
    assert "Ann" not in page.text
    assert "Ann, 0 in your cart" in corner.text
    assert corner.headers["Cache-Control"] == "no-store"


def test_a_purchase_in_the_shop_purges_the_page_that_shows_the_stock(examples: Runner) -> None:
    """The next reader sees the new number, and the buyer has the product in the cart."""
    *_, before, _, after, corner = examples.request(
        "shop",
        post("/login", name="Ann"),
        *[get("/products/1")] * 3,
        post("/products/1/buy"),
        get("/products/1"),
        get("/corner"),
        setup=ADD_PRODUCT,
    )
    assert before.is_hit
    assert "In stock: 3" in before.text
    assert after.is_miss
    assert "In stock: 2" in after.text
    assert "Ann, 1 in your cart" in corner.text


def test_a_change_of_a_city_purges_its_json_and_the_list_of_its_country(examples: Runner) -> None:
    """The list of another country stays stored."""
    lists = [get("/cities?country=FR"), get("/cities?country=DE")]
    paris = {
        "path": "/cities/1",
        "method": "PUT",
        "json": {"name": "Paris", "country": "FR", "inhabitants": 2_100_000},
        "headers": {"Authorization": "Bearer change-me"},
    }
    answers = examples.request(
        "json_api", *lists, *lists, *lists, paris, *lists, *[get("/cities/1")] * 3
    )[2:]
    assert [answer.is_hit for answer in answers[2:4]] == [True, True]
    assert (answers[4].status, answers[4].headers["Cache-Control"]) == (200, "no-store")
    assert [answer.is_hit for answer in answers[5:7]] == [False, True]
    assert json.loads(answers[5].text)["cities"][0]["name"] == "Paris"
    assert [answer.is_hit for answer in answers[7::2]] == [False, True]


def test_a_city_is_saved_only_with_the_token(examples: Runner) -> None:
    """The answer 401 is not stored."""
    (answer,) = examples.request("json_api", {"path": "/cities/1", "method": "PUT", "json": {}})
    assert (answer.status, answer.headers["Cache-Control"]) == (401, "no-store")


def test_the_gateway_stores_the_pages_of_any_wsgi_app(examples: Runner) -> None:
    """The second response is a HIT with the same body; a `no-store` page is rendered each time."""
    first, second, other, other_again = examples.request(
        "wsgi", get("/"), get("/"), get("/now"), get("/now"), setup="from app import application"
    )
    assert first.is_miss
    assert second.is_hit
    assert second.text == first.text
    assert other_again.text != other.text
