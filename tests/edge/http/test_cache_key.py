"""Cache keys: which parameters, hosts and paths are part of them."""

from __future__ import annotations

import pytest

from app.edge.http import (
    cache_key,
    query_string,
    target,
)

TRACKERS = cache_key.compile_ignored_parameters(cache_key.TRACKERS)


class TestKeys:
    """What is part of a cache key, and what is not."""

    @pytest.mark.parametrize(
        "pair",
        [
            *("gclidx=1", "gclid_=1", "xgclid=1", "fbclidx", "_gax=1", "_ga.1=2", "GCLID=1"),
            *("utm=1", "utmx_a=1", "xutm_a=1", "UTM_a=1", "ga=1", "mc_ci=1", "q=gclid", "q=utm_a"),
            *("a=1=gclid=2", "=gclid", "%67clid=1"),
        ],
    )
    def test_a_parameter_that_resembles_a_tracker_stays(self, pair: str) -> None:
        """Only whole names of trackers are removed, also by the canonical query."""
        assert cache_key.remove_parameters(pair, TRACKERS) == pair
        assert cache_key.remove_parameters(f"gclid=1&{pair}&fbclid=2", TRACKERS) == pair
        assert not query_string.is_canonical_query(pair, ())

    @pytest.mark.parametrize("name", [name.replace("*", "x") for name in cache_key.TRACKERS])
    @pytest.mark.parametrize("value", ["", "=", "=1", "=1=2", "=a\nb"])
    def test_each_tracker_is_removed(self, name: str, value: str) -> None:
        """With and without a value; the canonical query does not redirect for it."""
        pair = f"{name}{value}"
        assert cache_key.remove_parameters(pair, TRACKERS) == ""
        assert cache_key.remove_parameters(f"a=1&{pair}&b", TRACKERS) == "a=1&b"
        assert query_string.is_canonical_query(f"a=1&{pair}", {"a"})

    def test_the_bare_prefix_of_a_family_is_removed(self) -> None:
        """`utm_*` matches any ending, the empty one too."""
        assert cache_key.remove_parameters("utm_=1", TRACKERS) == ""

    def test_order_repetition_and_empty_pairs_are_not_changed(self) -> None:
        """Two spellings of a query are two keys."""
        for query in ("b=1&a=2", "a=1&a=1", "&", "a=1&&b=2", "a", "a=", "A=1"):
            assert cache_key.remove_parameters(query, TRACKERS) == query
            assert cache_key.remove_parameters(query, None) == query

    def test_a_pattern_is_no_regular_expression(self) -> None:
        """Only `*` has a meaning."""
        ignored = cache_key.compile_ignored_parameters(["a.b", "c*"])
        assert cache_key.remove_parameters("axb=1&a.b=2&c=3&cd=4&ec=5", ignored) == "axb=1&ec=5"
        assert cache_key.compile_ignored_parameters([]) is None

    @pytest.mark.parametrize(
        ("length", "site"), [(300, "http://" + "a" * 300), (301, None), (0, None)]
    )
    def test_the_length_of_a_host_is_bounded(self, length: int, site: str | None) -> None:
        """300 characters are the most."""
        assert cache_key.normalise_site("http", "a" * length) == site
        assert target.is_host("a" * length) is (site is not None)

    @pytest.mark.parametrize(
        ("port", "valid"), [("0", True), ("65535", True), ("65536", False), ("000080", False)]
    )
    def test_a_port_is_in_its_range(self, port: str, valid: bool) -> None:
        """It has at most five digits."""
        assert target.is_host(f"a:{port}") is valid

    def test_a_key_and_its_url_are_converted_into_each_other(self) -> None:
        """The path is decoded, the query is not; a path may contain a question mark."""
        key = cache_key.cache_key_for_url("HTTP://A.example:80/x%3Fy?q=1%20&gclid=2", TRACKERS)
        assert key == cache_key.build_cache_key("http://a.example", "/x?y", "q=1%20")
        assert cache_key.parse_cache_key(key) == ("http://a.example", "/x?y", "q=1%20")
        assert cache_key.cache_key_for_url("http://a") == cache_key.build_cache_key(
            "http://a", "/", ""
        )

    @pytest.mark.parametrize("url", ["/a", "ftp://a/", "http://", "http://a b/", "a"])
    def test_a_url_that_no_request_can_have_is_refused(self, url: str) -> None:
        """The error names the URL."""
        with pytest.raises(ValueError, match="is not an absolute http or https URL"):
            cache_key.cache_key_for_url(url)

    @pytest.mark.parametrize("path", ["", "a", "*"])
    def test_a_path_begins_with_a_slash(self, path: str) -> None:
        """Another form has no key."""
        assert cache_key.build_cache_key("http://a", path, "") is None

    def test_a_path_outside_of_latin_1_has_no_key(self) -> None:
        """WSGI passes bytes as latin-1 characters."""
        assert cache_key.build_cache_key("http://a", "/\u0101", "") is None
