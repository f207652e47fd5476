"""Fingerprints in URLs, bounds of compression, signatures of folders, and the build cache."""

from __future__ import annotations

import gzip
import hashlib
import os
from typing import TYPE_CHECKING

import pytest

from app.edge.static.build_cache import BuildCache
from app.edge.static.manifest import (
    Manifest,
    build_manifest,
    folder_signature,
    has_fingerprint,
    media_type,
)

if TYPE_CHECKING:
    from pathlib import Path

PRINT = "0123456789abcdef"


def build(folder: Path, files: dict[str, bytes], cache: BuildCache | None = None) -> Manifest:
    """Write files into a folder and read it."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    return build_manifest(folder, cache or BuildCache(None))


@pytest.mark.parametrize(
    ("path", "result"),
    [
        (f"{PRINT}/a.css", True),
        (PRINT, True),
        (f"{PRINT}0/a.css", False),
        (f"0{PRINT}/a.css", False),
        (f"{PRINT[:-1]}/a.css", False),
        (f"{PRINT.upper()}/a.css", False),
        (f"a/{PRINT}", False),
        ("", False),
    ],
)
def test_a_fingerprint_is_the_first_segment(path: str, result: bool) -> None:
    """It has exactly sixteen digits."""
    assert has_fingerprint(path) is result


def test_only_the_exact_fingerprint_leads_to_a_file(tmp_path: Path) -> None:
    """A URL of another version of the file is not answered with this one."""
    manifest = build(tmp_path, {"a/b.txt": b"b", "c.txt": b"c"})
    path = manifest.fingerprinted_path("a/b.txt")
    assert has_fingerprint(path)
    assert manifest.find_exact(path) is manifest.files["a/b.txt"]
    other = manifest.files["c.txt"].fingerprint
    for wrong in (f"{other}/a/b.txt", f"{PRINT}/a/b.txt", "a/b.txt", f"{path}x", "", other):
        assert manifest.find_exact(wrong) is None


def test_a_fingerprint_depends_on_every_byte(tmp_path: Path) -> None:
    """Equal files have the same one, and names do not matter."""
    manifest = build(tmp_path, {"a.txt": b"x", "b.txt": b"x", "c.txt": b"y", "d.txt": b""})
    prints = [manifest.files[path].fingerprint for path in ("a.txt", "b.txt", "c.txt", "d.txt")]
    assert prints[0] == prints[1]
    assert len(set(prints)) == 3


@pytest.mark.parametrize(
    ("name", "size", "codings"),
    [
        ("a.txt", 255, ()),
        ("a.txt", 256, ("br", "gzip")),
        ("a.ico", 256, ("br", "gzip")),
        ("a.ttf", 256, ("br", "gzip")),
        ("a.json", 256, ("br", "gzip")),
        ("a.webmanifest", 256, ("br", "gzip")),
        ("a.svg", 256, ("br", "gzip")),
        ("a.wasm", 256, ("br", "gzip")),
        ("a.woff2", 256, ()),
        ("a.png", 256, ()),
        ("a.bin", 256, ()),
    ],
)
def test_a_file_is_compressed_from_its_bound_on(
    tmp_path: Path, name: str, size: int, codings: tuple[str, ...]
) -> None:
    """Only types that shrink; gzip holds no time, so that each build gives the same bytes."""
    file = build(tmp_path, {name: b"x" * size}).files[name]
    assert file.codings == codings
    assert not codings or file.bodies["gzip"][4:8] == bytes(4)


@pytest.mark.parametrize(("length", "is_used"), [(299, True), (300, False), (301, False)])
def test_a_coding_that_saves_nothing_is_left_out(
    tmp_path: Path, length: int, is_used: bool
) -> None:
    """The build cache names a result by the digest of the content and the coding."""
    content = b"x" * 300
    digest = hashlib.blake2b(content, digest_size=20).hexdigest()
    for coding in ("br", "gzip"):
        build(tmp_path / "cache", {f"{digest}.{coding}": b"y" * length})
    manifest = build(tmp_path / "static", {"a.txt": content}, BuildCache(tmp_path / "cache"))
    assert manifest.files["a.txt"].codings == (("br", "gzip") if is_used else ())


REFERENCES = {
    "a sheet in capitals": ("A.CSS", b"url(i.svg)", True),
    "a script": ("a.js", b"url(i.svg)", False),
    "a script with a bad reference": ("a.js", b"url(none.svg)", False),
    "a page": ("a.html", b'@import "i.svg";', False),
    "spaces in quotes": ("a.css", b'url(" i.svg ")', True),
    "another host after a space": ("a.css", b'url(" https://x.example/a")', False),
    "an encoded name": ("a.css", b"url(%69.svg)", True),
    "an import in capitals": ("a.css", b'@IMPORT "i.svg";', True),
    "a comment of several lines": ("a.css", b"/* a\nurl(none.svg)\n*/", False),
}


@pytest.mark.parametrize(("name", "content", "is_changed"), REFERENCES.values(), ids=REFERENCES)
def test_only_references_of_style_sheets_are_rewritten(
    tmp_path: Path, name: str, content: bytes, is_changed: bool
) -> None:
    """A script can contain anything."""
    manifest = build(tmp_path, {name: content, "i.svg": b"<i/>"})
    body = manifest.files[name].bodies["identity"]
    assert (body != content) is is_changed
    stamp = manifest.files["i.svg"].fingerprint.encode()
    assert (b"../" + stamp + b"/i.svg" in body) is is_changed


def test_a_name_with_a_space_is_encoded_in_a_reference(tmp_path: Path) -> None:
    """The file is found by its decoded name."""
    manifest = build(tmp_path, {"a.css": b"url(b%20c.svg?d)", "b c.svg": b"<b/>"})
    stamp = manifest.files["b c.svg"].fingerprint
    assert manifest.files["a.css"].bodies["identity"].decode() == f"url(../{stamp}/b%20c.svg?d)"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.WOFF2", "font/woff2"),
        ("a.tar.JSON", "application/json"),
        ("css/a", "application/octet-stream"),
        ("a.html", "text/html; charset=utf-8"),
    ],
)
def test_a_type_depends_on_the_last_suffix(path: str, kind: str) -> None:
    """In any case of letters."""
    assert media_type(path) == kind


def test_a_signature_changes_with_the_files(tmp_path: Path) -> None:
    """By name, size and time of change; hidden files do not count."""
    build(tmp_path, {"a.txt": b"a"})
    os.utime(tmp_path / "a.txt", ns=(1, 1))
    signatures = [folder_signature(tmp_path)]
    os.utime(tmp_path / "a.txt", ns=(1, 2))
    signatures.append(folder_signature(tmp_path))
    build(tmp_path, {"a.txt": b"ab"})
    os.utime(tmp_path / "a.txt", ns=(1, 2))
    signatures.append(folder_signature(tmp_path))
    (tmp_path / "a.txt").rename(tmp_path / "b.txt")
    signatures.append(folder_signature(tmp_path))
    assert len(set(signatures)) == 4
    build(tmp_path, {".hidden": b"a"})
    assert folder_signature(tmp_path) == signatures[-1]


def test_a_result_that_can_not_be_written_leaves_no_draft(tmp_path: Path) -> None:
    """A folder has its name; all later results stay in memory."""
    (tmp_path / "name" / "full").mkdir(parents=True)
    cache = BuildCache(tmp_path)
    assert cache.get("name", lambda: b"bytes") == b"bytes"
    assert cache.get("other", lambda: b"more") == b"more"
    assert [path.name for path in tmp_path.iterdir()] == ["name"]


def test_results_share_a_folder(tmp_path: Path) -> None:
    """The second one is written into the folder of the first."""
    cache = BuildCache(tmp_path / "cache")
    for name in ("a", "b"):
        assert cache.get(name, name.encode) == name.encode()
    assert {path.name: path.read_bytes() for path in (tmp_path / "cache").iterdir()} == {
        "a": b"a",
        "b": b"b",
    }
    assert gzip.decompress(BuildCache(None).get("c", lambda: gzip.compress(b"c"))) == b"c"
