"""What a source imports, of some modules: most sources are not parsed for it, which takes long."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

_IMPORT = re.compile(rb"\bimport\b")
_LISTED = re.compile(rb"\s*\((?:[^)#]|#[^\n]*)*\)")
_LINE = re.compile(rb"(?:[^\n]*\\\r?\n)*[^\n]*")
_CONTINUED = (b"\\\n", b"\\\r\n")


@lru_cache(maxsize=4096)
def find_imports(source: bytes, package: str, candidates: frozenset[str]) -> frozenset[str]:
    """Return which of the `wanted` modules a module of this package imports, wherever it does."""
    mentions = _mentions(candidates)
    if not any(mentions.search(statement) for statement in _statements(source)):
        return frozenset()
    walked = ast.walk(ast.parse(source))
    return candidates.intersection(name for node in walked for name in _names(node, package))


@lru_cache(maxsize=16)
def _mentions(candidates: Iterable[str]) -> re.Pattern[bytes]:
    """A pattern of their last names, and of letters that Python would spell otherwise."""
    names = sorted({re.escape(name.rpartition(".")[2]).encode() for name in candidates})
    return re.compile(rb"[\x80-\xff]|\b(?:%s)\b" % b"|".join(names))


def _statements(source: bytes) -> Iterator[bytes]:
    """The whole lines of every import, and of every sentence that holds the word."""
    for word in _IMPORT.finditer(source):
        start = source.rfind(b"\n", 0, word.start()) + 1
        while source.endswith(_CONTINUED, 0, start):
            start = source.rfind(b"\n", 0, start - 1) + 1
        end = _LISTED.match(source, word.end()) or _LINE.match(source, word.end())
        yield source[start : end.end() if end else None]


def _names(node: ast.AST, package: str) -> Iterator[str]:
    """The modules that an import may mean."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parts = package.split(".")
        base = parts[: len(parts) - node.level + 1] if node.level else []
        whole = ".".join([*base, *([node.module] if node.module else [])])
        yield whole
        yield from (f"{whole}.{alias.name}" for alias in node.names)
