from __future__ import annotations

from pathlib import Path, PurePosixPath
from unicodedata import normalize

import pytest

from app.publishing.importing.file_finder import FileFinder

from .test_folder import write


def find(root: Path, reference: str, folder: str = "blog") -> str | None:
    """Return the path of the file that a post in this folder means."""
    result = FileFinder(home=root).find(reference, PurePosixPath(folder))
    return None if result is None else str(result.path)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("beside.png", "blog/post/beside.png"),
        ("./beside.png", "blog/post/beside.png"),
        ("beside.png?v=1#x", "blog/post/beside.png"),
        ("../up.png", "blog/up.png"),
        ("/images/top.png", "static/images/top.png"),
        ("images/top.png", "static/images/top.png"),
        ("gone.png", None),
        ("../../../../etc/passwd", None),
        ("link.png", None),
        ("", None),
        ("a\0b", None),
        ("a" * 5000, None),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_file_is_found_beside_the_post_or_from_the_top(
    tmp_path: Path, reference: str, expected: str | None
) -> None:
    """A reference is looked up beside its post first, and never outside the folder."""
    for name in ("blog/post/beside.png", "blog/up.png", "static/images/top.png"):
        write(tmp_path, {name: b"x"})
    (tmp_path / "blog/post/link.png").symlink_to("/etc/passwd")
    assert find(tmp_path, reference, "blog/post") == expected


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("a b.png", "a%20b.png"),
        ("a b.png", "a+b.png"),
        ("a+b.png", "a+b.png"),
        ("a#1.png", "a%231.png"),
        ("a#1.png", "a#1.png"),
        ("a?1.png", "a%3F1.png"),
        ("a?1.png", "a%3f1.png?v=2"),
        ("a%20b.png", "a%20b.png"),
        ("a%20b.png", "a%2520b.png"),
        ("100%.png", "100%.png"),
        (normalize("NFC", "café.png"), normalize("NFD", "café.png")),
        (normalize("NFD", "café.png"), normalize("NFC", "café.png")),
        (normalize("NFD", "café.png"), "caf%C3%A9.png"),
        (normalize("NFD", "été/ü/한글.png"), normalize("NFC", "été/ü/한글.png")),
        (normalize("NFC", "été/ü/한글.png"), normalize("NFD", "été/ü/한글.png")),
    ],
)
@pytest.mark.parametrize("start", ["", "/"])
def test_each_spelling_of_a_name_finds_the_file(
    tmp_path: Path, name: str, reference: str, start: str
) -> None:
    """Percent-encoding and Unicode forms differ between systems; the file is the same."""
    folder = "static" if start else "blog"
    write(tmp_path, {f"{folder}/{name}": b"x"})
    assert find(tmp_path, start + reference) == f"{folder}/{name}"


def test_an_exact_name_comes_before_other_forms(tmp_path: Path) -> None:
    """Of two files whose names look alike, the text means the one that it spells exactly."""
    forms = [normalize(form, "café.png") for form in ("NFC", "NFD")]
    for name in (*forms, "A.png", "a.png"):
        write(tmp_path, {f"blog/{name}": b"x"})
    for name in (*forms, "A.png", "a.png"):
        assert find(tmp_path, name) == f"blog/{name}"


def test_another_case_is_accepted_only_when_it_is_unambiguous(tmp_path: Path) -> None:
    """A system that ignores case served the file; with two candidates none is chosen."""
    for name in ("One.PNG", "two.png", "TWO.png", "Folder/x.png"):
        write(tmp_path, {f"blog/{name}": b"x"})
    result = FileFinder(home=tmp_path).find("one.png", PurePosixPath("blog"))
    assert result is not None
    assert (str(result.path), result.is_other_case) == ("blog/One.PNG", True)
    assert find(tmp_path, "Two.png") is None
    assert find(tmp_path, "folder/X.png") == "blog/Folder/x.png"
