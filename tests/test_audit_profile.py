from __future__ import annotations

from flask import Flask


def test_the_app_says_what_may_be_expected_of_it(app: Flask) -> None:
    """Each page that it names is there, and says what it should."""
    profile = app.extensions["edge"].site_profile
    client = app.test_client()
    assert client.get(profile.no_store_path).headers["Cache-Control"] == "no-store"
    assert (
        client.get(profile.short_ttl_path).headers["Cache-Control"]
        == f"max-age={profile.short_ttl_seconds}"
    )
    assert 'private="Set-Cookie"' in client.get(profile.cookie_path).headers["Cache-Control"]
    path, parameter = profile.search
    assert "unlikely" in client.get(f"{path}?{parameter}=unlikely").text
    home = client.get("/", base_url="https://localhost")
    for name, value in (*profile.security_headers, *profile.https_headers):
        assert home.headers[name] == value
