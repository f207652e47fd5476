"""Code in colours: Pygments spans with classes, and the stylesheet that goes with them."""

import re
from collections.abc import Mapping
from html import escape
from typing import Any

from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.styles import get_style_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

from .contrast import raise_contrast

# Lexers are regular expressions of many hands: what is larger stays readable without colours.
MAX_HIGHLIGHTED = 64 * 1024
MAX_LINE = 2000
_LONG_GAP = re.compile(r"\s{300}")  # several lexers need quadratic time for it
CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)
LIGHT, DARK = "xcode", "lightbulb"
LIGHT_GROUND, DARK_GROUND = "f4eddf", "1a2238"
"""The backgrounds of code: `--sheet` of `static/css/site.css` in both schemes."""

_FORMATTER = HtmlFormatter(nowrap=True)
_BLANK = re.compile(r'<span class="w">(\s*)</span>')
_LANGUAGE = re.compile(r"[A-Za-z0-9_+#.-]{1,30}")
_ALIASES = {"rs": "rust", "wasm": "wast", "sh-session": "console", "shell-session": "console"}


def language(info: str) -> str:
    """Name the language that a fence's info string names (`rust,ignore` is `rust`), else ''."""
    match = _LANGUAGE.match(info.strip().removeprefix("{").removeprefix("."))
    return match[0].lower() if match else ""


def highlight(code: str, info: str) -> str:
    """Code as `<pre>`, in colours when the language is known and the code is not huge."""
    name = language(info)
    attrs = f' class="language-{name}"' if name else ""
    body = _coloured(code, name) or escape(code, quote=False)
    return f'<div class="highlight"><pre><code{attrs}>{body}</code></pre></div>\n'


def _costly(code: str) -> bool:
    longest = max(map(len, code.splitlines()), default=0)
    return len(code) > MAX_HIGHLIGHTED or longest > MAX_LINE or bool(_LONG_GAP.search(code))


def _coloured(code: str, name: str) -> str | None:
    if not name or _costly(code):
        return None
    try:
        lexer = get_lexer_by_name(_ALIASES.get(name, name), stripnl=False)
    except ClassNotFound:
        return None
    return _BLANK.sub(r"\1", pygments_highlight(code, lexer, _FORMATTER))


def stylesheet() -> str:
    """Write the light and dark colours of code for `static/css/highlight.css`."""
    head = "/* Colours of code: made by app.publishing.text.code.stylesheet, not by hand. */\n"
    light = _block("print, (prefers-color-scheme: light)", LIGHT, LIGHT_GROUND)
    dark = _block("screen and (prefers-color-scheme: dark)", DARK, DARK_GROUND)
    return head + light + dark


def _block(media: str, style_name: str, ground: str) -> str:
    rules = "".join(f"  {line}\n" for line in _rules(style_name, ground).splitlines())
    return f"@media {media} {{\n{rules}}}\n"


def _rules(style_name: str, ground: str) -> str:
    """Write one rule for each look that a style has, in the order of the class names."""
    looks: dict[str, list[str]] = {}
    style = get_style_by_name(style_name)
    for token, name in sorted(STANDARD_TYPES.items(), key=lambda item: item[1]):
        if name and (look := _look(style.style_for_token(token), ground)):
            looks.setdefault(look, []).append(f".highlight .{name}")
    rules = (f"{', '.join(names)} {{ {look} }}" for look, names in looks.items())
    return "".join(f"{rule}\n" for rule in rules)


def _look(style: Mapping[str, Any], ground: str) -> str:
    """Write the declarations of a token; a colour that is hard to read gets more contrast."""
    colour = style["color"]
    parts = [f"color: #{raise_contrast(colour, ground)}"] if colour else []
    parts += ["font-weight: bold"] if style["bold"] else []
    parts += ["font-style: italic"] if style["italic"] else []
    return "; ".join(parts)
