from __future__ import annotations

from flask import Flask


def test_the_app_says_what_may_be_expected_of_it(app: Flask) -> None:
    """Each page that it names is there, and says what it should."""
    ours = app.extensions["edge"].ours
    client = app.test_client()
    assert client.get(ours.never_stored).headers["Cache-Control"] == "no-store"
    assert client.get(ours.kept).headers["Cache-Control"] == f"max-age={ours.kept_for}"
    assert 'private="Set-Cookie"' in client.get(ours.cookie).headers["Cache-Control"]
    path, parameter = ours.search
    assert "unlikely" in client.get(f"{path}?{parameter}=unlikely").text
    home = client.get("/", base_url="https://localhost")
    for name, value in (*ours.always, *ours.over_tls):
        assert home.headers[name] == value
