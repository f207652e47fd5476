"""Count names that are bare participles and sentences with mannered idioms, room by room.

`python -m tests.contracts.wording` prints the counts, and lowers the recorded limits to them.
A limit is never raised: `tests/contracts/test_wording.py` fails for a room that exceeds its limit.
"""

from __future__ import annotations

import ast
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RECORD = Path(__file__).with_suffix(".json")
ROOMS = ("app/edge", "app", "tests/edge", "tests", "benchmarks", "scripts", "docs")
"""A folder of one of these is a room of its own; files directly in one form a room together."""

NEW_ROOM = {"participles": 0.5, "idioms": 0.5}
"""The limits of a room that is not recorded: percent of names, idioms per 1,000 words."""

_IRREGULAR = re.compile(
    "asked|been|begun|bought|bound|brought|built|caught|chosen|come|cut|done|drawn|fallen|felt|"
    "forgotten|found|given|gone|got|grown|heard|held|hidden|kept|known|laid|led|left|lent|lost|"
    "made|meant|met|owed|paid|read|risen|said|seen|sent|set|shown|shut|sold|spelt|spent|stood|"
    "stolen|struck|taken|thought|told|understood|won|worn|written|"
    "again|already|anew|apart|awake|elsewhere|instead|meanwhile|otherwise"
)
_REGULAR = re.compile("[a-z]{3,}[^e]ed")
_TERMS = {"cached", "embed", "parsed", "quoted", "shed", "weighted"}
"""Terms of the field, and words that are no participles."""

_IDIOMS = re.compile(
    r"\b(?:whoever|whatever|whomever|whichever|nobody|somebody|everybody|anew|meanwhile|no more|"
    r"any more|told apart|(?:is|are) (?:owed|told|said)|those that|that which|as it was|for whom|"
    r"nothing of|would not be|it is no|of its own accord|takes? it back|may they be|"
    r"stands? (?:in|for|where)|let (?:no|the|two|an?) \w+ \w+)\b",
    re.IGNORECASE,
)
_LEFT_OUT = ("app/publishing/samples/", "tests/contracts/wording.py")
"""Essays, and the list of the idioms itself."""

_MARKUP = re.compile(r"```.*?```|`[^`\n]*`|<[^>]+>", re.DOTALL)


@dataclass(slots=True, kw_only=True)
class Count:
    """The names and words of one room, and how many of them are counted against it."""

    names: int = 0
    participles: int = 0
    words: int = 0
    idioms: int = 0

    def shares(self) -> dict[str, float]:
        """The percentage of bare participles, and the idioms per 1,000 words."""
        return {
            "participles": round(100 * self.participles / max(1, self.names), 2),
            "idioms": round(1000 * self.idioms / max(1, self.words), 2),
        }

    def add_prose(self, text: str) -> None:
        """Count the words and the idioms of a text."""
        self.words += len(text.split())
        self.idioms += len(_IDIOMS.findall(text))

    def add_names(self, names: Iterable[str]) -> None:
        """Count bound names."""
        for name in names:
            self.names += 1
            self.participles += is_bare_participle(name)


def is_bare_participle(name: str) -> bool:
    """Return whether a name is one participle or adverb, and so does not say what it holds."""
    word = name.strip("_")
    if word in _TERMS:
        return False
    return bool(_IRREGULAR.fullmatch(word) or _REGULAR.fullmatch(word))


def room_of(path: str) -> str:
    """Return the room that a file of the repository belongs to."""
    for base in ROOMS:
        if path.startswith(f"{base}/"):
            folder, *rest = path.removeprefix(f"{base}/").split("/")
            return f"{base}/{folder}" if rest else base
    return "."


def measure(paths: Iterator[str]) -> dict[str, dict[str, float]]:
    """Count all Python and Markdown files; Markdown has words alone."""
    counts: dict[str, Count] = {}
    for path in paths:
        is_python = path.endswith(".py")
        if path.startswith(_LEFT_OUT) or not (is_python or path.endswith(".md")):
            continue
        count = counts.setdefault(room_of(path), Count())
        text = (ROOT / path).read_text(encoding="utf-8")
        if not is_python:
            count.add_prose(_MARKUP.sub(" ", text))
            continue
        names, strings = _names_and_strings(ast.parse(text))
        count.add_names(names)
        for prose in (*strings, *_comments(text)):
            count.add_prose(prose)
    return {room: counts[room].shares() for room in sorted(counts)}


def recorded() -> dict[str, dict[str, float]]:
    """The limits of each room."""
    limits: dict[str, dict[str, float]] = json.loads(RECORD.read_text(encoding="utf-8"))
    return limits


def lower_limits(measured: dict[str, dict[str, float]]) -> None:
    """Write the lower of the limit and the measured number for each room that still exists."""
    limits = recorded() if RECORD.exists() else {}
    for room, shares in measured.items():
        old = limits.get(room, shares)
        limits[room] = {name: min(old[name], value) for name, value in shares.items()}
    rooms = {room: limits[room] for room in sorted(measured)}
    RECORD.write_text(json.dumps(rooms, indent=2) + "\n", encoding="utf-8")


def python_and_markdown() -> Iterator[str]:
    """The files of this folder, without environments and caches."""
    for base in ("app", "tests", "benchmarks", "scripts", "docs", "."):
        paths = (ROOT / base).glob("*" if base == "." else "**/*")
        for path in sorted(path for path in paths if path.suffix in {".py", ".md"}):
            yield path.relative_to(ROOT).as_posix()


def _names_and_strings(tree: ast.AST) -> tuple[list[str], list[str]]:
    """The names that a file binds; its docstrings and other strings of four words or more."""
    names: list[str] = []
    strings: list[str] = []
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()):
                names.append(name)
            case ast.arg(arg=name):
                names.append(name)
            case ast.Constant(value=str(value)) if len(value.split()) >= 4:
                strings.append(value)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                names.append(name)
    return names, strings


def _comments(text: str) -> Iterator[str]:
    if "#" not in text:
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.string


if __name__ == "__main__":
    shares_by_room = measure(python_and_markdown())
    for room_name, room_shares in shares_by_room.items():
        numbers = f"{room_shares['participles']:>8}{room_shares['idioms']:>8}"
        print(f"{room_name:<32}{numbers}")  # noqa: T201 - a command
    lower_limits(shares_by_room)
