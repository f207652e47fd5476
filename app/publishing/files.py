"""Linked files: which kinds a post may carry besides images, and how each kind is served.

Pure: bytes in, values out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePosixPath

from .slugs import slugify

PREFIX = "/media/files/"
"""The start of every URL of a linked file."""

MAX_BYTES = 20 * 1024 * 1024
"""The default of the setting FILE_SIZE."""

_DOCUMENTS = {
    "pdf": "application/pdf",
    "epub": "application/epub+zip",
    "mobi": "application/x-mobipocket-ebook",
    "djvu": "image/vnd.djvu",
    "ps": "application/postscript",
    "rtf": "application/rtf",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
}
_ARCHIVES = {
    "zip": "application/zip",
    "gz": "application/gzip",
    "tgz": "application/gzip",
    "tar": "application/x-tar",
    "bz2": "application/x-bzip2",
    "xz": "application/x-xz",
    "zst": "application/zstd",
    "7z": "application/x-7z-compressed",
}
_FONTS = {"otf": "font/otf", "ttf": "font/ttf", "woff": "font/woff", "woff2": "font/woff2"}
_DATA = {
    "asc": "application/pgp-signature",
    "bib": "text/x-bibtex; charset=utf-8",
    "csv": "text/csv; charset=utf-8",
    "gpx": "application/gpx+xml",
    "ics": "text/calendar; charset=utf-8",
    "ipynb": "application/x-ipynb+json",
    "json": "application/json",
    "sig": "application/pgp-signature",
    "sqlite": "application/vnd.sqlite3",
    "stl": "model/stl",
    "toml": "application/toml",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "yaml": "application/yaml",
    "yml": "application/yaml",
}
_PLAYED = {
    "aac": "audio/aac",
    "flac": "audio/flac",
    "m4a": "audio/mp4",
    "m4v": "video/mp4",
    "mid": "audio/midi",
    "mov": "video/quicktime",
    "mp3": "audio/mpeg",
    "mp4": "video/mp4",
    "oga": "audio/ogg",
    "ogg": "audio/ogg",
    "ogv": "video/ogg",
    "opus": "audio/ogg",
    "wav": "audio/wav",
    "weba": "audio/webm",
    "webm": "video/webm",
}
_PLAIN = dict.fromkeys(
    "c cpp diff go h hpp java jl kt lua log patch py r rb rs scala sql srt swift tex txt".split(),  # noqa: SIM905 - reads best as words
    "text/plain; charset=utf-8",
) | {"vtt": "text/vtt; charset=utf-8"}
_SHOWN = _PLAYED | _PLAIN
TYPES = _DOCUMENTS | _ARCHIVES | _FONTS | _DATA | _SHOWN
"""The media type of each carried kind of file, by its suffix in lower case."""

_PROGRAMS = (
    b"MZ",
    b"\x7fELF",
    b"#!",
    b"\xca\xfe\xba\xbe",
    b"\xcf\xfa\xed\xfe",
    b"\xce\xfa\xed\xfe",
)
_MARKUP = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype|html|head|body|script|svg)\b", re.IGNORECASE
)


class FileError(ValueError):
    """A file that is refused; the sentence says why and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileInfo:
    """An accepted file: the name for its URL, its media type, its size, SHA-256 of its bytes."""

    name: str
    media_type: str
    size: int
    digest: str


def suffix_of(name: str) -> str:
    """Return the suffix of a name in lower case, without its dot."""
    return PurePosixPath(name.replace("\\", "/")).suffix.lower().removeprefix(".")


def is_shown(media_type: str) -> bool:
    """Tell whether browsers show this type in a window; every other type is downloaded."""
    return media_type in _SHOWN.values()


def inspect(data: bytes, name: str, *, most: int) -> FileInfo:
    """Tell what a file is; raises `FileError` for one that is not carried.

    `most` is the largest accepted number of bytes.
    """
    suffix = suffix_of(name)
    if suffix not in TYPES:
        raise FileError(f"Files of the kind {suffix or 'without a suffix'!r} are not carried.")
    if not data:
        raise FileError("The file is empty; export it again.")
    if len(data) > most:
        raise FileError(f"The file has more than {most // 1024} KiB, the limit FILE_SIZE.")
    if suffix not in _PLAIN and _is_active(data):
        raise FileError(f"The file is named .{suffix}, but it holds a program or a web page.")
    stem = PurePosixPath(name.replace("\\", "/")).stem
    return FileInfo(
        name=f"{slugify(stem)}.{suffix}",
        media_type=TYPES[suffix],
        size=len(data),
        digest=sha256(data).hexdigest(),
    )


def _is_active(data: bytes) -> bool:
    """Tell whether bytes begin as a program, a script or a web page does."""
    return data.startswith(_PROGRAMS) or _MARKUP.match(data[:1024]) is not None
