from __future__ import annotations

from pathlib import Path

import pytest

from app import create_app


@pytest.mark.parametrize(
    ("trusted", "host", "answered"),
    [
        (None, "anything.example", True),
        (["example.com"], "example.com", True),
        (["example.com"], "EXAMPLE.com", True),
        (["example.com"], "example.com:8443", True),
        (["example.com"], "www.example.com", False),
        ([".example.com"], "www.example.com", True),
        (["example.com"], "example.com.evil.example", False),
        (["example.com"], "evil.example", False),
        (["example.com"], "127.0.0.1", False),
        (["example.com"], "", False),
    ],
)
def test_a_host_is_answered_when_it_is_trusted(
    trusted: list[str] | None, host: str, *, answered: bool, tmp_path: Path
) -> None:
    """In any case, with any port, and a leading dot stands for what is below."""
    settings = {"INSTANCE": str(tmp_path), "SECRET_KEY": "x", "TRUSTED_HOSTS": trusted}
    app = create_app(settings)
    app.add_url_rule("/asked", view_func=lambda: "answered")
    answer = app.test_client().get("/asked", headers={"Host": host})
    assert answer.text == ("answered" if answered else "This site is not served under that name.\n")
    assert answer.status_code == (200 if answered else 400)


def test_a_refusal_is_never_stored(tmp_path: Path) -> None:
    """Somebody else's name must not put an error into a shared cache."""
    settings = {"INSTANCE": str(tmp_path), "SECRET_KEY": "x", "TRUSTED_HOSTS": ["example.com"]}
    answer = create_app(settings).test_client().get("/", headers={"Host": "evil.example"})
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
