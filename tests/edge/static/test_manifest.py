"""Fingerprints identify the bytes that a reader gets, also through references in style sheets."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import brotli
import pytest

from app.edge.static.build_cache import BuildCache
from app.edge.static.manifest import Manifest, StaticError, build_manifest, media_type

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LONG = "body { color: rebeccapurple }\n" * 40


@pytest.fixture
def build(tmp_path: Path) -> Callable[[dict[str, str]], Manifest]:
    """Return a function that writes files into a folder and reads it."""

    def make(files: dict[str, str]) -> Manifest:
        for path, text in files.items():
            target = tmp_path / "static" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        return build_manifest(tmp_path / "static", BuildCache(None))

    return make


def body(manifest: Manifest, path: str) -> str:
    """Return a file's text as sent."""
    return manifest.files[path].bodies["identity"].decode()


REFERENCES = {
    "bare": ("url(a.svg)", "url(../{a}/a.svg)"),
    "double quotes": ('url("a.svg")', 'url("../{a}/a.svg")'),
    "single quotes and spaces": ("url( 'a.svg' )", "url( '../{a}/a.svg' )"),
    "upper case": ("URL(a.svg)", "URL(../{a}/a.svg)"),
    "below": ("url(img/b.svg)", "url(../{b}/img/b.svg)"),
    "roundabout": ("url(./img/../a.svg)", "url(../{a}/a.svg)"),
    "fragment": ("url(a.svg#part)", "url(../{a}/a.svg#part)"),
    "query": ("url(a.svg?v=1#x)", "url(../{a}/a.svg?v=1#x)"),
    "two": ("url(a.svg), url(img/b.svg)", "url(../{a}/a.svg), url(../{b}/img/b.svg)"),
    "import of a string": ('@import "c.css";', '@import "../{c}/c.css";'),
    "import of a url": ("@import url(c.css) print;", "@import url(../{c}/c.css) print;"),
    "data": ("url(data:image/png;base64,AA==)", "url(data:image/png;base64,AA==)"),
    "another host": ("url(https://x.example/a)", "url(https://x.example/a)"),
    "another host, same scheme": ("url(//x.example/a)", "url(//x.example/a)"),
    "the site's root": ("url(/a.svg)", "url(/a.svg)"),
    "a fragment alone": ("url(#part)", "url(#part)"),
    "empty": ("url()", "url()"),
    "comment": ("/* url(none.svg) */", "/* url(none.svg) */"),
}


@pytest.mark.parametrize(("reference", "target"), REFERENCES.values(), ids=REFERENCES)
def test_a_reference_leads_to_the_fingerprinted_file(
    build: Callable[[dict[str, str]], Manifest], reference: str, target: str
) -> None:
    """The URL is relative, so it works under any prefix."""
    files = {"a.svg": "<a/>", "img/b.svg": "<b/>", "c.css": "c{}", "site.css": reference}
    manifest = build(files)
    prints = {path[-5]: file.fingerprint for path, file in manifest.files.items()}
    assert body(manifest, "site.css") == target.format_map(prints)


def test_a_reference_goes_up_and_over(build: Callable[[dict[str, str]], Manifest]) -> None:
    """From a folder to its neighbour."""
    manifest = build({"css/deep/site.css": "url(../../img/a.svg)", "img/a.svg": "<a/>"})
    stamp = manifest.files["img/a.svg"].fingerprint
    assert body(manifest, "css/deep/site.css") == f"url(../../../{stamp}/img/a.svg)"


def test_a_change_of_an_image_changes_the_sheet_that_shows_it(
    build: Callable[[dict[str, str]], Manifest],
) -> None:
    """Through any number of imports, and nothing else changes."""
    files = {
        "a.css": '@import "b.css";',
        "b.css": "x{background:url(i.svg)}",
        "i.svg": "<one/>",
        "other.css": "y{}",
    }
    before = build(files)
    after = build({"i.svg": "<two/>"})
    changed_paths = {path for path, file in before.files.items() if after.files[path] != file}
    assert changed_paths == {"a.css", "b.css", "i.svg"}


FAULTS = {
    "missing": ({"a.css": "url(b.svg)"}, r"a.css refers to 'b.svg', which is not in"),
    "outside": ({"a.css": "url(../../etc/passwd)"}, "which is not in"),
    "itself": ({"a.css": '@import "a.css";'}, "in a cycle: a.css → a.css"),
    "cycle": (
        {"a.css": '@import "b.css";', "b.css": "url(a.css)"},
        "in a cycle: a.css → b.css → a.css",
    ),
}


@pytest.mark.parametrize(("files", "sentence"), FAULTS.values(), ids=FAULTS)
def test_a_sheet_that_cannot_be_is_refused(
    build: Callable[[dict[str, str]], Manifest], files: dict[str, str], sentence: str
) -> None:
    """The message names file and reference."""
    with pytest.raises(StaticError, match=sentence):
        build(files)


def test_a_sheet_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """It would be sent with a wrong charset."""
    (tmp_path / "a.css").write_bytes(b"\xff\xfe")
    with pytest.raises(StaticError, match=r"a.css is not UTF-8"):
        build_manifest(tmp_path, BuildCache(None))


def test_text_is_packed_ahead_where_it_pays(build: Callable[[dict[str, str]], Manifest]) -> None:
    """Both codings decode to the same bytes; small or compressed files are not encoded."""
    manifest = build({"a.css": LONG, "b.css": "b{}", "c.png": LONG})
    packed = manifest.files["a.css"]
    assert packed.codings == ("br", "gzip")
    assert brotli.decompress(packed.bodies["br"]) == packed.bodies["identity"]
    assert gzip.decompress(packed.bodies["gzip"]) == packed.bodies["identity"]
    assert manifest.files["b.css"].codings == ()
    assert manifest.files["c.png"].codings == ()


def test_hidden_files_and_links_out_of_the_folder_are_not_served(
    build: Callable[[dict[str, str]], Manifest], tmp_path: Path
) -> None:
    """They are not meant for readers."""
    (tmp_path / "secret").write_text("secret")
    (tmp_path / "static").mkdir()
    (tmp_path / "static" / "link.txt").symlink_to(tmp_path / "secret")
    manifest = build({".env": "KEY=1", ".git/config": "x", "a.txt": "a"})
    assert set(manifest.files) == {"a.txt"}


def test_a_missing_file_has_no_stamp(build: Callable[[dict[str, str]], Manifest]) -> None:
    """The message names the file."""
    with pytest.raises(StaticError, match=r"no static file 'b\.css'"):
        build({"a.css": "a{}"}).fingerprinted_path("b.css")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.CSS", "text/css; charset=utf-8"),
        ("a.svg", "image/svg+xml"),
        ("a.woff2", "font/woff2"),
        ("a.webmanifest", "application/manifest+json"),
        ("a.png", "image/png"),
        ("a.unheard-of", "application/octet-stream"),
    ],
)
def test_a_type_does_not_depend_on_the_machine(path: str, kind: str) -> None:
    """No mime.types is read."""
    assert media_type(path) == kind


class TestShelf:
    """Expensive build results are computed once."""

    def test_a_second_start_makes_nothing(self, tmp_path: Path) -> None:
        """A second process finds the cached results."""
        calls: list[str] = []

        def make() -> bytes:
            calls.append("made")
            return b"bytes"

        for _ in range(2):
            assert BuildCache(tmp_path / "new" / "shelf").get("name", make) == b"bytes"
        assert calls == ["made"]
        assert [path.name for path in (tmp_path / "new" / "shelf").iterdir()] == ["name"]

    def test_an_unwritable_folder_means_memory(self, tmp_path: Path) -> None:
        """A file has the folder's name."""
        (tmp_path / "shelf").write_text("in the way")
        shelf = BuildCache(tmp_path / "shelf")
        assert shelf.get("name", lambda: b"bytes") == b"bytes"
        assert shelf.get("name", lambda: b"others") == b"bytes"


IMPORTS = {
    "names": ('import { a } from "./b.js";', 'import { a } from "../../{b}/js/b.js";'),
    "several lines": (
        "import {\n a,\n} from './b.js'",
        "import {\n a,\n} from '../../{b}/js/b.js'",
    ),
    "its effect alone": ('import "./b.js"', 'import "../../{b}/js/b.js"'),
    "a module again": ('export * from"./b.js"', 'export * from"../../{b}/js/b.js"'),
    "while it runs": ('await import("./b.js")', 'await import("../../{b}/js/b.js")'),
    "another folder": ('import x from "../c.mjs"', 'import x from "../../{c}/c.mjs"'),
    "a package": ('import x from "lodash"', 'import x from "lodash"'),
    "another site": ('import x from "https://a.b/c.js"', 'import x from "https://a.b/c.js"'),
    "a file that is not there": ('import x from "./d.js"', 'import x from "./d.js"'),
    "a comment": ('// from "./b.js"\n/* from "./b.js" */', '// from "./b.js"\n/* from "./b.js" */'),
}


@pytest.mark.parametrize(("source", "target"), IMPORTS.values(), ids=IMPORTS)
def test_imports_of_modules_get_fingerprints(
    build: Callable[[dict[str, str]], Manifest], source: str, target: str
) -> None:
    """A browser that has an old module never combines it with a new one."""
    manifest = build({"js/a.js": source, "js/b.js": "b", "c.mjs": "c"})
    for letter, path in (("{b}", "js/b.js"), ("{c}", "c.mjs")):
        target = target.replace(letter, manifest.files[path].fingerprint)
    assert body(manifest, "js/a.js") == target


def test_modules_that_import_one_another_stay_usable(
    build: Callable[[dict[str, str]], Manifest],
) -> None:
    """A cycle of modules is legal; the import that closes it stays as it is."""
    manifest = build({"a.js": 'import "./b.js"', "b.js": 'import "./a.js"'})
    assert body(manifest, "b.js") == 'import "./a.js"'
    assert body(manifest, "a.js") == f'import "../{manifest.files["b.js"].fingerprint}/b.js"'


def test_a_changed_module_changes_those_that_import_it(
    build: Callable[[dict[str, str]], Manifest],
) -> None:
    """So that an immutable module never names an old one."""
    first = build({"a.js": 'import "./b.js"', "b.js": "1"})
    second = build({"a.js": 'import "./b.js"', "b.js": "2"})
    assert first.files["a.js"].fingerprint != second.files["a.js"].fingerprint


def test_a_script_that_is_not_utf8_is_served_as_it_is(tmp_path: Path) -> None:
    """An old script of a host application may have another encoding."""
    (tmp_path / "a.js").write_bytes(b'"\xff"; import "./b.js"')
    manifest = build_manifest(tmp_path, BuildCache(None))
    assert manifest.files["a.js"].bodies["identity"] == b'"\xff"; import "./b.js"'
