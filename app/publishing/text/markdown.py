"""The dialect of Markdown that writers use, parsed into HTML that is not yet safe."""

import re
from collections.abc import Sequence
from functools import lru_cache
from html import escape
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from mdit_py_plugins.deflist import deflist_plugin
from mdit_py_plugins.footnote import footnote_plugin

from .code import highlight
from .document import TextError
from .formulas import FormulaError, formula_plugin, to_mathml
from .typography import PLAIN, Typography, typography_plugin

MAX_NESTING = 40
MAX_OPEN = 5000
MORE = '<hr class="more">'

_MORE = re.compile(r"<!--\s*more\s*-->", re.IGNORECASE)
_NOSCRIPT = re.compile(r"</?noscript[^>]*>", re.IGNORECASE)
_SHORTCODE = re.compile(
    r"\{\{[<%]\s{0,9}/?\s{0,9}(?P<hugo>[\w./-]{1,40})\b[^{}]{0,500}\}\}"
    r"|\{\{\s{0,9}(?P<zola>\w{1,40})\([^{}]{0,500}\)\s{0,9}\}\}"
    r"|\{%-?\s{0,9}(?P<block>\w{1,40})\b[^%{}]{0,500}%\}"
)


def to_html(markdown: str, typography: Typography = PLAIN) -> tuple[str, tuple[str, ...]]:
    """Parse Markdown; give its raw HTML and a warning for each shortcode that stays as text."""
    _refuse_unclosed(markdown)
    parser = _parser(typography)
    tokens = parser.parse(markdown)
    _refuse_lost_depth(tokens)
    html: str = parser.renderer.render(tokens, parser.options, {})
    return html, (*_failed_formulas(tokens), *_shortcodes(tokens))


def to_line(text: str, typography: Typography) -> str:
    """Return the words of a line of Markdown, in the typography of the text."""
    (token,) = _parser(typography).parseInline(text)
    kept = ("text", "code_inline")
    return "".join(child.content for child in token.children or () if child.type in kept)


def _refuse_unclosed(markdown: str) -> None:
    """Refuse thousands of open brackets: the parser looks for the end of each one."""
    for opening, closing in ("[]", "()"):
        if markdown.count(opening) - markdown.count(closing) > MAX_OPEN:
            raise TextError(
                f"The text opens more than {MAX_OPEN} brackets {opening} without closing them; "
                "close them."
            )


def _refuse_lost_depth(tokens: Sequence[Token]) -> None:
    """Refuse what the parser would drop in silence: blocks below its nesting limit."""
    for token in tokens:
        if token.nesting == 1 and token.level >= MAX_NESTING - 1:
            line = token.map[0] + 1 if token.map else 1
            raise TextError(
                f"Line {line} of the text is nested over {MAX_NESTING} levels deep; flatten it."
            )


def _shortcodes(tokens: Sequence[Token]) -> list[str]:
    warnings = []
    for token in tokens:
        texts = (child.content for child in token.children or () if child.type == "text")
        for match in _SHORTCODE.finditer(" ".join(texts)):
            line = token.map[0] + 1 if token.map else 1
            warnings.append(
                f"line {line}: the shortcode {match[match.lastgroup or 0]!r} is not known here "
                "and stays as text"
            )
    return warnings


def _failed_formulas(tokens: Sequence[Token]) -> list[str]:
    """Return a warning for each formula that stays as its source."""
    warnings = []
    for token in tokens:
        line = token.map[0] + 1 if token.map else 1
        warnings += [
            f"line {line}: the formula {inner.content.strip()[:40]!r} stays as source: "
            f"{inner.meta['error']}"
            for inner in (token, *(token.children or ()))
            if inner.type == "formula" and "error" in inner.meta
        ]
    return warnings


def _formula(_: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    """Return MathML, or the source of a formula that can't be converted."""
    token = tokens[index]
    is_block = token.markup in {"$$", "\\["}
    try:
        html = to_mathml(token.content, is_block=is_block)
    except FormulaError as error:
        token.meta["error"] = str(error)
        html = f"<code>{escape(token.content.strip(), quote=False)}</code>"
    return f"<p>{html}</p>\n" if token.block else html


def _raw(_: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    """Raw HTML, with what a parser without scripting would make of it."""
    return _MORE.sub(MORE, _NOSCRIPT.sub("", tokens[index].content))


def _fence(_: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any) -> str:
    return highlight(tokens[index].content, tokens[index].info)


@lru_cache(maxsize=16)
def _parser(typography: Typography) -> MarkdownIt:
    options = {"html": True, "maxNesting": MAX_NESTING, "tasklists": True, "alerts": True}
    parser = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    parser.use(footnote_plugin).use(deflist_plugin)
    for name, rule in (("html_block", _raw), ("html_inline", _raw)):
        parser.add_render_rule(name, rule)
    parser.use(formula_plugin).add_render_rule("formula", _formula)
    for name in ("fence", "code_block"):
        parser.add_render_rule(name, _fence)
    typography_plugin(parser, typography)
    return parser
