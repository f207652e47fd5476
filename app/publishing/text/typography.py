# ruff: noqa: RUF001 - the quotation marks of many languages
"""Emoji codes and smart punctuation: characters that a text gets when it is rendered.

Code, formulas, URLs, raw HTML and markup of other tools are left as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from app import i18n

from .links import BARE_URL, trim_url

MAX_QUOTES = 1000
"""A paragraph with more quotation marks is left as it is: pairing them takes quadratic time."""

_RAW_TAG = re.compile(
    r"<(/?)(code|kbd|math|pre|samp|script|style|textarea|tt|var)\b", re.IGNORECASE
)
_MARKUP = re.compile(
    r"\{\{.{0,500}?\}\}|\{%.{0,500}?%\}|\{\s?[:#.][^{}]{0,200}\}"
    r"|\((?:c|r|tm|p)\)|[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{1,190}",
    re.IGNORECASE,
)
_CODES = re.compile(r"(?<![A-Za-z0-9_/:])(?::[a-z0-9_+ñãéíçô’-]{1,80}:)+(?![A-Za-z0-9_/:])")
_CODE = re.compile(r":[^:]+:")

_NO_BREAK = "\u00a0"
_QUOTES: dict[str, Sequence[str]] = {
    "en": "“”‘’",
    **dict.fromkeys(("bg", "cs", "de", "et", "is", "ka", "lt", "lv", "sk", "sl", "sr"), "„“‚‘"),
    **dict.fromkeys(("ca", "el", "es", "eu", "gl", "it", "pt"), "«»“”"),
    **dict.fromkeys(("be", "kk", "ky", "ru", "uk", "tg"), "«»„“"),
    **dict.fromkeys(("am", "ar", "az", "fa", "hy", "ps", "de-ch", "fr-ch", "it-ch"), "«»‹›"),
    **dict.fromkeys(("fi", "sv"), "””’’"),
    **dict.fromkeys(("nb", "nn", "no"), "«»‘’"),
    **dict.fromkeys(("da", "hr"), "»«›‹"),
    **dict.fromkeys(("ja", "zh-hant", "zh-tw", "zh-hk", "zh-mo"), "「」『』"),
    "fr": ("«" + _NO_BREAK, _NO_BREAK + "»", "‹" + _NO_BREAK, _NO_BREAK + "›"),
    "hu": "„”»«",
    "pl": "„”«»",
    "pt-br": "“”‘’",
    "ro": "„”«»",
    "sq": "„”‚’",
}
"""Outer and inner quotation marks by language, after Unicode's CLDR; English ones for the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Typography:
    """Which characters a text gets; `language` is the tag that chooses its quotation marks."""

    emoji: bool = False
    smart_punctuation: bool = False
    language: str = "en"

    @property
    def is_plain(self) -> bool:
        """Whether rendering changes no character of a text."""
        return not (self.emoji or self.smart_punctuation)

    @property
    def rules(self) -> tuple[object, ...]:
        """Return all that decides how a text is rendered, to compare two typographies."""
        labels = i18n.load_catalogues().names(self.language)
        quotes = self.smart_punctuation and self.quotes
        return (self.emoji, self.smart_punctuation, quotes, labels)

    @property
    def quotes(self) -> tuple[str, ...]:
        """Return the quotation marks of the language: of the longest part of its tag."""
        parts = self.language.lower().split("-")
        tags = ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
        return tuple(next((_QUOTES[tag] for tag in tags if tag in _QUOTES), _QUOTES["en"]))


PLAIN = Typography()

_FOLDED = dict.fromkeys(map(ord, "\"'“”„‟‘’‚«»‹›「」『』"), '"') | {ord(_NO_BREAK): ""}


def fold_quotes(text: str) -> str:
    """Return a text with one kind of quotation mark, to compare texts of several languages."""
    return text.translate(_FOLDED)


def typography_plugin(parser: MarkdownIt, typography: Typography) -> None:
    """Add the rules of a typography to a parser."""
    if typography.is_plain:
        return
    parser.core.ruler.before("replacements", "protect", _protect)
    if typography.emoji:
        parser.core.ruler.after("protect", "emoji", _replace_codes)
    if typography.smart_punctuation:
        parser.options["typographer"] = True
        parser.options["quotes"] = list(typography.quotes)
        parser.enable(["replacements", "smartquotes"])


def _protect(state: StateCore) -> None:
    """Turn what must stay as it is into tokens that the later rules pass over."""
    for token in state.tokens:
        if token.type == "inline" and token.children:
            token.children = list(_protected(token.children))


def _protected(tokens: Sequence[Token]) -> Iterator[Token]:
    open_tags: list[str] = []
    quotes = sum(token.content.count('"') + token.content.count("'") for token in tokens)
    for is_text, group in groupby(tokens, key=lambda token: token.type in {"text", "text_special"}):
        run = list(group)
        if not is_text:
            for token in run:
                _follow_raw_tags(token, open_tags)
            yield from run
        elif open_tags or quotes > MAX_QUOTES:
            yield from map(_literal, run)
        else:
            yield from _split(run)


def _follow_raw_tags(token: Token, open_tags: list[str]) -> None:
    """Note which elements of code the raw HTML of a paragraph has opened."""
    match = _RAW_TAG.match(token.content) if token.type == "html_inline" else None
    if match is None:
        return
    name = match[2].lower()
    if not match[1]:
        open_tags.append(name)
    elif name in open_tags:
        del open_tags[open_tags.index(name) :]


def _literal(token: Token) -> Token:
    return token if token.type == "text_special" else _text(token, token.content, "text_special")


def _text(token: Token, content: str, kind: str) -> Token:
    info = "literal" if kind == "text_special" else token.info
    return Token(kind, "", 0, content=content, level=token.level, info=info, markup=content)


def _split(run: Sequence[Token]) -> Iterator[Token]:
    """Split a run of text at its URLs and its markup, which may reach over escaped characters."""
    spans = list(_spans("".join(token.content for token in run)))
    if not spans:
        yield from run
        return
    start = 0
    for token in run:
        yield from _pieces(token, start, spans)
        start += len(token.content)


def _spans(text: str) -> Iterator[tuple[int, int]]:
    for match in BARE_URL.finditer(text):
        yield match.start(), match.start() + len(trim_url(match[0]))
    for match in _MARKUP.finditer(text):
        yield match.span()


def _pieces(token: Token, start: int, spans: Sequence[tuple[int, int]]) -> Iterator[Token]:
    """Yield a token in pieces; those within a span are literal."""
    if token.type == "text_special":
        yield token
        return
    end = start + len(token.content)
    inner = [(max(first, start), min(last, end)) for first, last in spans]
    position = start
    for first, last in sorted(pair for pair in inner if pair[0] < pair[1]):
        if first > position:
            yield _text(token, token.content[position - start : first - start], "text")
        if last > position:
            piece = token.content[max(first, position) - start : last - start]
            yield _text(token, piece, "text_special")
        position = max(position, last)
    if position < end:
        yield _text(token, token.content[position - start :], "text")


def _replace_codes(state: StateCore) -> None:
    for token in state.tokens:
        _replace_in(token.children or ())


def _replace_in(tokens: Sequence[Token]) -> None:
    for token in tokens:
        if token.type == "text" and ":" in token.content:
            token.content = _CODES.sub(_emoji, token.content)
        elif token.type == "image":
            _replace_in(token.children or ())


def _emoji(match: re.Match[str]) -> str:
    codes = _emoji_by_code()
    return _CODE.sub(lambda code: codes.get(code[0], code[0]), match[0])


@cache
def _emoji_by_code() -> dict[str, str]:
    """Return each emoji by its codes: those of GitHub, and its English name.

    The table is loaded only on a site that uses it.
    """
    from emoji import EMOJI_DATA  # noqa: PLC0415 - five megabytes of memory

    codes: dict[str, str] = {}
    for character, entry in EMOJI_DATA.items():
        for code in (entry["en"], *entry.get("alias", ())):
            if code not in codes or entry["status"] == _FULLY_QUALIFIED:
                codes[code] = character
    return codes


_FULLY_QUALIFIED = 2
"""The status of `emoji.STATUS` of the form that is shown in colour."""
