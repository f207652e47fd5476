"""Code in colours: Pygments spans with classes, and the stylesheet that goes with them."""

import re
from html import escape

from pygments import highlight as pygments_highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.util import ClassNotFound

# Lexers are regular expressions of many hands: what is larger stays readable without colours.
MAX_HIGHLIGHTED = 64 * 1024
MAX_LINE = 2000
_LONG_GAP = re.compile(r"\s{300}")  # several lexers need quadratic time for it
CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)
LIGHT, DARK = "default", "github-dark"

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
    return pygments_highlight(code, lexer, HtmlFormatter(nowrap=True))
