"""A folder gives its posts in order, names what it skips, and is never left."""

import os
from pathlib import Path, PurePosixPath

import pytest

from app.publishing.importing import source_folder
from app.publishing.importing.publication.state import State
from app.publishing.importing.source_folder import Limits, Skipped, SourceError, SourcePost

POST = "---\ntitle: A post\ndate: 2019-11-07\n---\nbody\n"


def write(root: Path, name: str, content: str | bytes = POST) -> Path:
    """Write a file, with its folders."""
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def only(root: Path, limits: Limits | None = None) -> SourcePost | Skipped:
    """Scan a folder that gives one result."""
    results = list(source_folder.scan(root, limits))
    assert len(results) == 1
    return results[0]


def test_posts_come_in_a_stable_order(tmp_path: Path) -> None:
    """The order is that of the paths, wherever the files were made."""
    for name in ("b.md", "a/z.md", "C.markdown", "a/index.md", "notes.txt", ".git/x.md"):
        write(tmp_path, name)
    paths = [str(result.path) for result in source_folder.scan(tmp_path)]
    assert paths == ["a/index.md", "a/z.md", "b.md", "C.markdown"]


def test_a_post_is_read_whole(tmp_path: Path) -> None:
    """A found post has its title, its text, its old address and its digest."""
    write(tmp_path, "posts/a.md", "\ufeff" + POST)
    source_post = only(tmp_path)
    assert isinstance(source_post, SourcePost)
    assert (source_post.title, source_post.document.body) == ("A post", "body\n")
    assert source_post.source_url == "/posts/a/"
    assert len(source_post.digest) == 64


@pytest.mark.parametrize(
    ("content", "title"),
    [
        ("---\ndate: 2019-11-07\n---\n# Big *news*\n", "Big *news*"),
        ("---\na: 1\n---\nb", "My first post"),
    ],
)
def test_a_title_is_found_elsewhere(tmp_path: Path, content: str, title: str) -> None:
    """Without a title the first heading speaks, then the file's name."""
    write(tmp_path, "2019-11-07-my-first_post.md", content)
    source_post = only(tmp_path)
    assert isinstance(source_post, SourcePost)
    assert source_post.title == title


def test_a_text_without_a_date_is_a_page(tmp_path: Path) -> None:
    """An article without a date would have no place in the archive."""
    write(tmp_path, "about.md", "---\ntitle: About\n---\nbody")
    source_post = only(tmp_path)
    assert isinstance(source_post, SourcePost)
    assert source_post.meta.kind == "page"


def test_a_text_among_the_drafts_is_a_draft(tmp_path: Path) -> None:
    """Jekyll keeps drafts in a folder of their own."""
    write(tmp_path, "_drafts/a.md")
    source_post = only(tmp_path)
    assert isinstance(source_post, SourcePost)
    assert [reason.state for reason in source_post.reasons] == [State.DRAFT]


@pytest.mark.parametrize(
    ("name", "content", "line", "reason"),
    [
        ("_index.md", POST, None, "page of a section"),
        ("a.md", b"---\ntitle: a\n---\nok\n\xff", 5, "not UTF-8: byte 0xff at offset 20"),
        ("a.md", "---\ntitle: [\n---\nb", 2, "YAML is broken"),
        ("a.md", "just text", 1, "no front matter"),
        ("a.md", "---\ndraft: true\n---\n\n", 3, "no title, and no text"),
        ("a.md", "", 1, "no front matter"),
        ("a.md", "---\n" + "x" * 3000, None, "larger than 2 KiB"),
        ("a.rst", "text", None, "is not Markdown"),
    ],
    ids=range(8),
)
def test_what_cannot_be_imported_is_named(
    tmp_path: Path, name: str, content: str | bytes, line: int | None, reason: str
) -> None:
    """Each skipped file has its reason, and its line where there is one."""
    write(tmp_path, name, content)
    skipped = only(tmp_path, Limits(text_bytes=2048))
    assert isinstance(skipped, Skipped)
    assert skipped.line == line
    assert reason in skipped.reason


def test_a_bad_file_does_not_stop_the_others(tmp_path: Path) -> None:
    """The scan goes on after what it cannot read."""
    write(tmp_path, "a.md", b"\xff")
    write(tmp_path, "b.md")
    assert [type(result) for result in source_folder.scan(tmp_path)] == [Skipped, SourcePost]


@pytest.mark.parametrize(
    ("link", "target", "reason"),
    [
        ("a.md", "/etc/passwd", "out of the folder"),
        ("folder", "/etc", "out of the folder"),
        ("a.md", "nowhere.md", "to nothing"),
        ("a.md", "a.md", "to nothing"),
        ("loop", ".", "which is read there"),
    ],
)
def test_a_symbolic_link_is_not_followed(
    tmp_path: Path, link: str, target: str, reason: str
) -> None:
    """No link leads out, none leads round in circles."""
    (tmp_path / link).symlink_to(target)
    skipped = only(tmp_path)
    assert isinstance(skipped, Skipped)
    assert reason in skipped.reason


def test_a_fifo_is_named_and_not_waited_for(tmp_path: Path) -> None:
    """Reading a FIFO would wait for ever."""
    os.mkfifo(tmp_path / "a.md")
    skipped = only(tmp_path)
    assert isinstance(skipped, Skipped)
    assert "not a regular file" in skipped.reason


def test_too_many_files_end_the_scan(tmp_path: Path) -> None:
    """The limit counts files of every kind and is reported once."""
    for number in range(9):
        write(tmp_path, f"d{number % 3}/{number}.md")
    results = list(source_folder.scan(tmp_path, Limits(files=5)))
    skipped = [result for result in results if isinstance(result, Skipped)]
    assert len(results) - len(skipped) < 5
    assert ["more than 5 files" in result.reason for result in skipped] == [True]


def test_too_deep_folders_are_named(tmp_path: Path) -> None:
    """A folder below the limit is not entered."""
    write(tmp_path, "a/b/c/d.md")
    skipped = only(tmp_path, Limits(depth=2))
    assert isinstance(skipped, Skipped)
    assert "more than 2 folders deep" in skipped.reason


@pytest.mark.parametrize("name", ["missing", "file.md"])
def test_what_is_no_folder_is_refused(tmp_path: Path, name: str) -> None:
    """The sentence says what to name instead."""
    write(tmp_path, "file.md")
    with pytest.raises(SourceError, match="name a folder"):
        list(source_folder.scan(tmp_path / name))


def test_reading_stops_at_the_limit_and_at_the_fence(tmp_path: Path) -> None:
    """Bytes come from regular files inside the folder, up to a limit."""
    write(tmp_path, "a.png", "12345")
    (tmp_path / "out.png").symlink_to("/etc/passwd")
    assert source_folder.read_file(tmp_path, PurePosixPath("a.png"), most=5) == b"12345"
    for name, reason in (
        ("a.png", "larger"),
        ("out.png", "out of"),
        ("gone.png", "cannot be read"),
    ):
        with pytest.raises(SourceError, match=reason):
            source_folder.read_file(tmp_path, PurePosixPath(name), most=4)
