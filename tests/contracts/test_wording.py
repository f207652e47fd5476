from __future__ import annotations

import pytest

from .wording import NEW_ROOM, is_bare_participle, measure, python_and_markdown, recorded, room_of


@pytest.fixture(scope="module")
def measured() -> dict[str, dict[str, float]]:
    """The numbers of each room as it is now."""
    return measure(python_and_markdown())


@pytest.mark.parametrize("kind", ["participles", "idioms"])
def test_no_room_gets_harder_to_read(kind: str, measured: dict[str, dict[str, float]]) -> None:
    """A number may only fall; `python -m tests.contracts.wording` records the lower ones."""
    limits = recorded()
    over = {
        room: (shares[kind], limits.get(room, NEW_ROOM)[kind])
        for room, shares in measured.items()
        if shares[kind] > limits.get(room, NEW_ROOM)[kind]
    }
    assert over == {}, f"{kind} in (measured, limit): name things by their type or role"


def test_every_recorded_room_exists(measured: dict[str, dict[str, float]]) -> None:
    """A limit for a room that is gone would be used again by a new one of that name."""
    assert recorded().keys() <= measured.keys()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("found", True),
        ("_kept", True),
        ("matched", True),
        ("again", True),
        ("found_rows", False),
        ("feed", False),
        ("seed", False),
        ("cached", False),
        ("is_shared", False),
    ],
)
def test_a_bare_participle_is_recognised(name: str, *, expected: bool) -> None:
    """A participle beside a noun is an adjective, and says what the thing is."""
    assert is_bare_participle(name) is expected


@pytest.mark.parametrize(
    ("path", "room"),
    [
        ("app/edge/gateway/store/base.py", "app/edge/gateway"),
        ("app/edge/settings.py", "app/edge"),
        ("app/site/articles.py", "app/site"),
        ("tests/test_release.py", "tests"),
        ("wsgi.py", "."),
    ],
)
def test_a_file_belongs_to_one_room(path: str, room: str) -> None:
    """The folder that it is in, below `app`, `app/edge`, `tests` and so on."""
    assert room_of(path) == room
