"""Invalid values for the nginx configuration are refused; other tests run a real nginx."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.edge.cdn import nginx
from app.edge.cdn.site_description import OriginServer
from app.edge.policy.policy import PolicyError

from .test_varnish_vcl import PLAN

SECRET = "0123456789abcdef"


def test_what_nginx_cannot_do_is_said_openly() -> None:
    """The first lines explain purges, Age and stale pages."""
    head = nginx.server_config(PLAN).partition("proxy_cache_path")[0]
    assert "There is no purge" in head
    assert "no Age" in head
    assert "fetches a page anew" not in head


def test_a_refresh_is_there_only_when_it_is_asked_for() -> None:
    """It needs a secret, and then the file says that it contains one."""
    assert "Refresh" not in nginx.server_config(PLAN)
    config = nginx.server_config(replace(PLAN, secret=SECRET), refresh=True)
    assert f'"~^{SECRET}$" 1;' in config
    assert "only nginx may be able to read it" in config
    assert SECRET not in nginx.server_config(replace(PLAN, secret=SECRET))
    with pytest.raises(PolicyError, match="needs a secret"):
        nginx.server_config(PLAN, refresh=True)


def test_parameters_of_like_names_stay_apart() -> None:
    """A variable of nginx has only letters and digits."""
    rule = replace(PLAN.rules[0], query_params=("a-b", "a_b", "A"))
    text = nginx.server_config(replace(PLAN, rules=(rule,)))
    for name in ("a_2d_b", "a_5f_b", "_41_"):
        assert f"$broadsheet_arg_{name} {{" in text


@pytest.mark.parametrize("value", ["", "80; include /etc/passwd", "80 {", "$host", "a\nb"])
def test_a_word_that_would_end_its_line_is_refused(value: str) -> None:
    """An option is one word."""
    with pytest.raises(PolicyError, match="is not a valid nginx listen"):
        nginx.server_config(PLAN, listen=value)
    with pytest.raises(PolicyError, match="is not a valid nginx folder"):
        nginx.server_config(PLAN, folder=value)


def test_origins_are_asked_over_plain_http() -> None:
    """An HTTPS origin needs settings that the generator does not have."""
    with pytest.raises(PolicyError, match="plain http"):
        nginx.server_config(replace(PLAN, origins=(OriginServer.of("https://10.0.0.1"),)))
