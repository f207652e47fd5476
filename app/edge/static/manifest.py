"""Manifest of static files with fingerprints: hashes of the bytes that a reader gets.

References in style sheets and imports of modules are rewritten first, so that they have
fingerprints, too. This module
depends on no framework.
"""

from __future__ import annotations

import gzip
import hashlib
import posixpath
import re
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from mimetypes import MimeTypes
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote

from ..policy.policy import PolicyError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from .build_cache import BuildCache

LENGTH = 16
_MIN_SIZE = 256
_FINGERPRINT = re.compile(rf"[0-9a-f]{{{LENGTH}}}")
_OUTSIDE = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:|//|/|#|$")
_REFERENCE = re.compile(
    r"""
    (?P<skip>/\*.*?\*/)
    | url\(\s*(?P<quote>["']?)(?P<url>[^"'()]*?)(?P=quote)\s*\)
    | @import\s+(?P<mark>["'])(?P<sheet>[^"']*)(?P=mark)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_IMPORT = re.compile(
    r"""
    (?P<skip>/\*.*?\*/ | //[^\n]*)
    | \b(?:from|import)\s*\(?\s*(?P<mark>["'])(?P<module>\.{1,2}/[^"'\n]+)(?P=mark)
    """,
    re.VERBOSE | re.DOTALL,
)
"""A comment, or an import of another module by a relative path."""
_MODULES = (".js", ".mjs")
_TYPES = {
    ".speculationrules": "application/speculationrules+json",
    ".avif": "image/avif",
    ".css": "text/css",
    ".ico": "image/x-icon",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain",
    ".wasm": "application/wasm",
    ".webmanifest": "application/manifest+json",
    ".webp": "image/webp",
    ".woff": "font/woff",
    ".woff2": "font/woff2",
    ".xml": "application/xml",
}
# Without the system's mime.types, which would make media types depend on the machine.
_MIME_TYPES = MimeTypes(filenames=())
_COMPRESSIBLE = re.compile(
    r"text/.*|image/(svg\+xml|x-icon)|font/ttf|application/(.*\+)?(json|xml|wasm)"
)


def _compress_with_brotli(body: bytes) -> bytes:
    import brotli  # noqa: PLC0415 - an optional package, of the level [gateway]

    return bytes(brotli.compress(body, quality=11))


_ENCODERS: Mapping[str, Callable[[bytes], bytes]] = {
    "br": _compress_with_brotli,
    "gzip": lambda body: gzip.compress(body, compresslevel=9, mtime=0),
}
_INSTALLED = tuple(
    coding for coding in _ENCODERS if coding != "br" or find_spec("brotli") is not None
)


class StaticError(PolicyError):
    """A static file is missing, or refers to a file that does not exist."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticFile:
    """One file; `bodies` maps content codings to its bytes and always contains "identity"."""

    path: str
    fingerprint: str
    media_type: str
    bodies: Mapping[str, bytes] = field(repr=False)

    @property
    def codings(self) -> tuple[str, ...]:
        """The content codings of the stored bodies, the best first."""
        return tuple(coding for coding in _ENCODERS if coding in self.bodies)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """The files of a folder by their relative path."""

    files: Mapping[str, StaticFile]

    def fingerprinted_path(self, path: str) -> str:
        """Return the path in a URL: the fingerprint, then the file's path."""
        file = self.files.get(path)
        if file is None:
            raise StaticError(f"There is no static file {path!r}: check the name in url_for().")
        return f"{file.fingerprint}/{path}"

    def find_exact(self, url_path: str) -> StaticFile | None:
        """Return the file with exactly this fingerprint and path, or None."""
        fingerprint, _, path = url_path.partition("/")
        file = self.files.get(path)
        return file if file is not None and file.fingerprint == fingerprint else None


def has_fingerprint(path: str) -> bool:
    """Return whether the first segment of a path has the form of a fingerprint."""
    return _FINGERPRINT.fullmatch(path.partition("/")[0]) is not None


def build_manifest(
    folder: Path, build_cache: BuildCache, overrides: Sequence[Path] = ()
) -> Manifest:
    """Read every file below a folder, except hidden files and links that lead out of it.

    A file below one of the `overrides`, folders too, replaces the file with the same path.
    """
    sources = dict(_sources(folder))
    for override in overrides:
        sources |= dict(_sources(override))
    builder = _Builder(folder=folder, build_cache=build_cache, sources=sources)
    files = {path: builder.file(path) for path in builder.sources}
    return Manifest(files=MappingProxyType(files))


def folder_signature(*folders: Path) -> int:
    """Return a number that changes when a file below one of the folders does."""
    stats = ((path, source.stat()) for folder in folders for path, source in _sources(folder))
    return hash(tuple((path, stat.st_mtime_ns, stat.st_size) for path, stat in stats))


def media_type(path: str) -> str:
    """Return the media type for a file's name, with a charset for text."""
    suffix = posixpath.splitext(path)[1].lower()
    guessed = _TYPES.get(suffix) or _MIME_TYPES.guess_type(path)[0] or "application/octet-stream"
    return f"{guessed}; charset=utf-8" if guessed.startswith("text/") else guessed


def _sources(folder: Path) -> Iterator[tuple[str, Path]]:
    root = folder.resolve()
    for source in sorted(folder.rglob("*")):
        path = source.relative_to(folder)
        is_hidden = any(part.startswith(".") for part in path.parts)
        if not is_hidden and source.is_file() and source.resolve().is_relative_to(root):
            yield path.as_posix(), source


def _without_query(url: str) -> str:
    return re.split(r"[?#]", url.strip(), maxsplit=1)[0]


def _resolve(path: str, url: str) -> str:
    """Return the path of the file to which a relative URL in a file refers."""
    bare = unquote(_without_query(url))
    return posixpath.normpath(posixpath.join(posixpath.dirname(path), bare))


@dataclass(slots=True, kw_only=True)
class _Builder:
    folder: Path
    build_cache: BuildCache
    sources: dict[str, Path]
    files: dict[str, StaticFile] = field(default_factory=dict)
    in_progress: list[str] = field(default_factory=list)

    def file(self, path: str) -> StaticFile:
        """Build a file after the files that it refers to."""
        if path in self.files:
            return self.files[path]
        if path in self.in_progress:
            cycle = " → ".join([*self.in_progress[self.in_progress.index(path) :], path])
            raise StaticError(f"Style sheets refer to one another in a cycle: {cycle}.")
        self.in_progress.append(path)
        body = self.sources[path].read_bytes()
        if path.lower().endswith(".css"):
            body = self._rewrite_references(path, body)
        elif path.lower().endswith(_MODULES):
            body = self._rewrite_imports(path, body)
        self.in_progress.pop()
        self.files[path] = file = self._compress(path, body)
        return file

    def _rewrite_references(self, path: str, body: bytes) -> bytes:
        def rewrite(match: re.Match[str]) -> str:
            group = "url" if match["url"] is not None else "sheet"
            if match["skip"] or _OUTSIDE.match(match[group].strip()):
                return match[0]
            start, end = match.start(group) - match.start(), match.end(group) - match.start()
            return match[0][:start] + self._reference(path, match[group]) + match[0][end:]

        try:
            return _REFERENCE.sub(rewrite, body.decode()).encode()
        except UnicodeDecodeError as error:
            raise StaticError(f"{path} is not UTF-8: {error.reason}.") from None

    def _rewrite_imports(self, path: str, body: bytes) -> bytes:
        """Rewrite imports of files of this folder; others, and those of a cycle, stay."""

        def rewrite(match: re.Match[str]) -> str:
            module = match["module"]
            if match["skip"] or not self._can_import(path, module):
                return match[0]
            start, end = match.start("module") - match.start(), match.end("module") - match.start()
            return match[0][:start] + self._reference(path, module) + match[0][end:]

        try:
            return _IMPORT.sub(rewrite, body.decode()).encode()
        except UnicodeDecodeError:
            return body

    def _can_import(self, path: str, module: str) -> bool:
        target = _resolve(path, module)
        return target in self.sources and target not in self.in_progress

    def _reference(self, path: str, raw_url: str) -> str:
        """Return a relative URL from one fingerprinted file to another."""
        rest = raw_url.strip()[len(_without_query(raw_url)) :]
        target = _resolve(path, raw_url)
        if target not in self.sources:
            raise StaticError(f"{path} refers to {raw_url!r}, which is not in {self.folder}.")
        up = "../" * (path.count("/") + 1)
        return f"{up}{self.file(target).fingerprint}/{quote(target)}{rest}"

    def _compress(self, path: str, body: bytes) -> StaticFile:
        fingerprint = hashlib.blake2b(body, digest_size=LENGTH // 2).hexdigest()
        kind = media_type(path)
        bodies = {"identity": body}
        if len(body) >= _MIN_SIZE and _COMPRESSIBLE.fullmatch(kind.partition(";")[0]):
            digest = hashlib.blake2b(body, digest_size=20).hexdigest()
            for coding in _INSTALLED:
                encode = _ENCODERS[coding]
                encoded = self.build_cache.get(f"{digest}.{coding}", partial(encode, body))
                if len(encoded) < len(body):
                    bodies[coding] = encoded
        return StaticFile(
            path=path,
            fingerprint=fingerprint,
            media_type=kind,
            bodies=MappingProxyType(bodies),
        )
