"""Read a list of old addresses: a sitemap, a sitemap index with the sitemaps beside it, or lines.

Only reads files; nothing is fetched.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit
from xml.etree import ElementTree as ET

from .file_access import SourceError, read_file

MAX_BYTES = 60 * 1024 * 1024
MAX_ADDRESSES = 500_000
MAX_SITEMAPS = 1000
_GZIP = b"\x1f\x8b"


def read_addresses(file: Path) -> list[str]:
    """Return the paths, with their queries, of a sitemap or a list of URLs, without repeats.

    Raises SourceError for a file that can't be read.
    """
    addresses: dict[str, None] = {}
    pending = [file.name]
    names = set(pending)
    while pending:
        urls, sitemaps = _read_list(file.parent, pending.pop())
        addresses |= dict.fromkeys(filter(None, map(path_of, urls)))
        if len(addresses) > MAX_ADDRESSES or len(names) > MAX_SITEMAPS:
            raise SourceError(f"{file} has more than {MAX_ADDRESSES} addresses")
        for name in sitemaps:
            if name not in names:
                names.add(name)
                pending.append(name)
    return list(addresses)


def path_of(url: str) -> str:
    """Return the path and the query of an address; empty for what is no address."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in {"", "http", "https"}:
        return ""
    path = parts.path or ("/" if parts.netloc else "")
    if not path.startswith("/"):
        path = f"/{path}" if path else ""
    return f"{path}?{parts.query}" if path and parts.query else path


def _read_list(folder: Path, name: str) -> tuple[list[str], list[str]]:
    """Return the URLs of a file, and the names of the sitemaps that it lists."""
    try:
        data = read_file(folder, PurePosixPath(name), most=MAX_BYTES)
        data = _unpack(data)
        if data.lstrip()[:1] == b"<":
            return _read_xml(data, folder)
        lines = data.decode("utf-8-sig").splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, ET.ParseError, ValueError) as error:
        raise SourceError(f"{folder / name} is not a list of addresses: {error}") from None
    return [line for line in lines if line.strip() and not line.startswith("#")], []


def _unpack(data: bytes) -> bytes:
    if not data.startswith(_GZIP):
        return data
    with gzip.GzipFile(fileobj=BytesIO(data)) as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 1024 // 1024} MiB")
    return content


def _read_xml(data: bytes, folder: Path) -> tuple[list[str], list[str]]:
    # Expat reads UTF-16 too, in which the search below would miss a DOCTYPE.
    if b"\0" in data or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise ValueError("it is not plain UTF-8 XML without a DOCTYPE")
    root = ET.fromstring(data)  # noqa: S314 - see above
    urls = list(_locations(root, "url"))
    names = [PurePosixPath(path_of(url)).name for url in _locations(root, "sitemap")]
    return urls, [name for name in names if name and (folder / name).is_file()]


def _locations(root: ET.Element, parent: str) -> Iterator[str]:
    """Yield the text of each `<loc>` of the sitemap's own elements, in any namespace."""
    for element in root:
        if _local_name(element) == parent:
            yield from (child.text or "" for child in element if _local_name(child) == "loc")


def _local_name(element: ET.Element) -> str:
    return str(element.tag).rpartition("}")[2]
