"""Find which of some modules a source imports, without parsing most sources, which is slow."""

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
    """Return the `candidates` that a module of this package imports, at any level of the source."""
    mentions = _mentions(candidates)
    if not any(mentions.search(statement) for statement in _statements(source)):
        return frozenset()
    walked = ast.walk(ast.parse(source))
    return candidates.intersection(name for node in walked for name in _names(node, package))


@lru_cache(maxsize=16)
def _mentions(candidates: Iterable[str]) -> re.Pattern[bytes]:
    """Return a pattern of their last name parts, and of letters that Python normalises."""
    names = sorted({re.escape(name.rpartition(".")[2]).encode() for name in candidates})
    return re.compile(rb"[\x80-\xff]|\b(?:%s)\b" % b"|".join(names))


def _statements(source: bytes) -> Iterator[bytes]:
    """Yield the whole lines of every import statement, and of comments with the word."""
    for word in _IMPORT.finditer(source):
        start = source.rfind(b"\n", 0, word.start()) + 1
        while source.endswith(_CONTINUED, 0, start):
            start = source.rfind(b"\n", 0, start - 1) + 1
        end = _LISTED.match(source, word.end()) or _LINE.match(source, word.end())
        yield source[start : end.end() if end else None]


def _names(node: ast.AST, package: str) -> Iterator[str]:
    """Yield the modules that an import statement may name."""
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        parts = package.split(".")
        base = parts[: len(parts) - node.level + 1] if node.level else []
        whole = ".".join([*base, *([node.module] if node.module else [])])
        yield whole
        yield from (f"{whole}.{alias.name}" for alias in node.names)
