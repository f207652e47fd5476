r"""Formulas in LaTeX: found in Markdown, and turned into MathML when a text is saved.

`$$…$$` is always a formula; `$…$` only if it can't be money or prose, and `\(…\)` and `\[…\]` only
if they can't be escaped brackets.
"""

from __future__ import annotations

import re
from html import escape, unescape

from markdown_it import MarkdownIt
from markdown_it.ruler import RuleOptionsType
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from math_core import LatexError, LatexToMathML

MAX_LENGTH = 4096
MAX_DEPTH = 200

_PAIRS = {"$$": "$$", "\\[": "\\]", "\\(": "\\)", "$": "$"}
_NESTING = re.compile(r"\\(?:[{}\\]|(begin|left)(?![a-zA-Z])|(end|right)(?![a-zA-Z]))|([{])|([}])")
_PROSE = re.compile(r"[A-Za-z]{2,}[,.;:]?\s+[A-Za-z]{2,}")
_WORD = re.compile(r"[A-Za-z]{2,}")
_LONG_WORD = re.compile(r"[A-Za-z]{3,}")
_SIGN = re.compile(r"\\[A-Za-z]|[\^_=<>+*/|]|[A-Za-z0-9)]\s*-\s*[A-Za-z0-9(]")
_COMMAND = re.compile(r"\\[A-Za-z]+")
_PRICE = re.compile(r"\d[\d.,]*(?:\s|[A-Za-z]{2}|[kKmM]\b|$)")
_STYLE = re.compile(r' style="([^"]*)"')
_SHOWN = re.compile(r'<math\b[^<>]*? alttext="([^"]*)"[^<>]*>.*?</math>', re.DOTALL)
_RULE = "formula"
_CLASSES = {
    "border-left: 0.05em dashed currentcolor": "math-rule-left-dashed",
    "border-left: 0.05em solid currentcolor": "math-rule-left",
    "border-right: 0.05em dashed currentcolor": "math-rule-right-dashed",
    "border-right: 0.05em solid currentcolor": "math-rule-right",
    "border-top: 0.05em dashed currentcolor": "math-rule-top-dashed",
    "border-top: 0.05em solid currentcolor": "math-rule-top",
    "padding-bottom: 0": "math-flush-bottom",
    "padding-left: 0": "math-flush-left",
    "padding-left: 0.1em": "math-near-left",
    "padding-left:1em": "math-apart",
    "padding-right: 0": "math-flush-right",
    "padding-right: 0.1em": "math-near-right",
    "padding-top: 0": "math-flush-top",
    "padding-top: 0.1667em": "math-low",
    "text-align: left": "math-left",
    "text-align: right": "math-right",
    "width: 100%": "math-wide",
    "width: 50%": "math-half",
    "width: 7.5%": "math-narrow",
}
"""The class of each declaration that math-core writes; others, such as colours, are dropped."""

CLASSES = frozenset(_CLASSES.values())

_CONVERTER = LatexToMathML(fancy_error=False)


class FormulaError(ValueError):
    """A formula that stays as its source; the sentence says why."""


def to_mathml(latex: str, *, is_block: bool) -> str:
    """Convert a formula to MathML without styles; raises `FormulaError`."""
    if len(latex) > MAX_LENGTH:
        raise FormulaError(f"it has {len(latex)} characters; {MAX_LENGTH} is the most")
    if _depth(latex) > MAX_DEPTH:
        raise FormulaError(f"it is nested more than {MAX_DEPTH} levels deep")
    try:
        html = _CONVERTER.convert_with_local_state(latex, displaystyle=is_block)
    except LatexError as error:
        reason = str(error).strip().splitlines()
        raise FormulaError(
            reason[0][:200].rstrip(".") if reason else "the LaTeX is not valid"
        ) from None
    html = _STYLE.sub(_classes, html)
    source = escape(" ".join(latex.split()))
    return html.replace("<math", f'<math alttext="{source}"', 1)


def with_sources(html: str) -> str:
    """Return HTML with the source of each formula in place of its MathML.

    Most feed readers drop MathML and show only its letters.
    """
    return _SHOWN.sub(lambda match: f"<code>{match[1]}</code>", html)


def _depth(latex: str) -> int:
    r"""Return how deep braces, environments and `\left` are nested; needs no recursion."""
    depth = deepest = 0
    for match in _NESTING.finditer(latex):
        depth += bool(match[1] or match[3]) - bool(match[2] or match[4])
        deepest = max(deepest, depth)
    return deepest


def _classes(match: re.Match[str]) -> str:
    declarations = (part.strip() for part in unescape(match[1]).split(";"))
    names = [_CLASSES[part] for part in declarations if part in _CLASSES]
    return f' class="{" ".join(names)}"' if names else ""


def formula_plugin(parser: MarkdownIt) -> None:
    r"""Add the rules for formulas to a parser, before the rule that reads `\(` as an escape."""
    options: RuleOptionsType = {"alt": ["paragraph", "reference", "blockquote", "list"]}
    parser.block.ruler.before("fence", _RULE, _block_rule, options)
    parser.inline.ruler.before("escape", _RULE, _inline_rule)


def _inline_rule(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 - the parser calls it so
    opening = _opening_at(state.src, state.pos)
    if not opening or (opening == "$" and not _may_open(state.src, state.pos)):
        return False
    start = state.pos + len(opening)
    end = _find_end(state, opening, start)
    if end < 0:
        return False
    latex = state.src[start:end]
    if not latex.strip() or (opening == "$" and not _is_formula(state.src, start, end)):
        return False
    if opening[0] == "\\" and not _is_no_escape(opening, latex):
        return False
    if not silent:
        token = state.push(_RULE, "math", 0)
        token.content, token.markup = latex, opening
    state.pos = end + len(_PAIRS[opening])
    return True


def _opening_at(text: str, position: int) -> str:
    return next((mark for mark in _PAIRS if text.startswith(mark, position)), "")


def _may_open(text: str, position: int) -> bool:
    """Tell whether `$` can begin a formula: no word before it, no blank behind it."""
    before, after = text[position - 1 : position], text[position + 1 : position + 2]
    return not (before.isalnum() or before == "$") and bool(after.strip())


def _find_end(state: StateInline, opening: str, start: int) -> int:
    """Find the closing mark; a mark that is missing is searched only once in a text."""
    closing = _PAIRS[opening]
    nearest: dict[str, int] = state.env.setdefault("formula_ends", {})
    key = f"{closing}{id(state.src)}"
    end = nearest.get(key, -1)
    if key not in nearest or -1 < end < start:
        end = state.src.find(closing, start)
        while end > 0 and state.src[end - 1] == "\\" and closing[0] == "$":
            end = state.src.find(closing, end + 1)
        nearest[key] = end
    return end if end < 0 or end >= start else -1


def _is_formula(text: str, start: int, end: int) -> bool:
    """Tell a formula between two `$` from money and prose."""
    latex = text[start:end]
    if latex[-1].isspace() or "\n\n" in latex or text[end + 1 : end + 2].isalnum():
        return False
    words = _COMMAND.sub("", latex)
    return not (
        _PROSE.search(words) or (_PRICE.match(latex) and " " in latex and "\\" not in latex)
    )


def _is_no_escape(opening: str, latex: str) -> bool:
    r"""Tell a formula from text between escaped brackets, such as `\[sic\]` or `\(or not\)`."""
    words = _COMMAND.sub("", latex)
    if words == latex and (_PROSE.search(words) or _LONG_WORD.search(words)):
        return False
    if _SIGN.search(latex):
        return True
    return opening == "\\(" and not _WORD.search(words)


def _block_rule(state: StateBlock, start: int, end: int, silent: bool) -> bool:  # noqa: FBT001 - as above
    r"""Find a formula on lines of its own, between `$$` or between `\[` and `\]`."""
    if state.is_code_block(start):
        return False
    first = state.src[state.bMarks[start] + state.tShift[start] : state.eMarks[start]]
    opening = next((mark for mark in ("$$", "\\[") if first.startswith(mark)), "")
    last = _last_line(state, start, end, opening, first) if opening else -1
    if last < 0:
        return False
    text = state.getLines(start, last + 1, state.blkIndent, keepLastLF=False).strip()
    latex = text[len(opening) : -len(_PAIRS[opening])]
    if opening == "\\[" and not _is_no_escape(opening, latex):
        return False
    if silent:
        return True
    token = state.push(_RULE, "math", 0)
    token.block, token.map, token.markup = True, [start, last + 1], opening
    token.content = latex
    state.line = last + 1
    return True


def _last_line(state: StateBlock, start: int, end: int, opening: str, first: str) -> int:
    """Return the line that ends with the closing mark; -1 if text follows it or it is missing."""
    closing, length = _PAIRS[opening], 0
    for line in range(start, end):
        text = (
            first[len(opening) :]
            if line == start
            else state.src[state.bMarks[line] : state.eMarks[line]]
        )
        length += len(text) + 1
        if (line > start and state.sCount[line] < state.blkIndent) or length > 2 * MAX_LENGTH:
            return -1
        if closing in text:
            is_alone = text.rstrip().endswith(closing) and text.count(closing) == 1
            return line if is_alone else -1
    return -1
