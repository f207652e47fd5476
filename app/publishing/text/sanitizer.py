"""Sanitise the HTML of writers, and the HTML that is sent to readers.

`admit` sanitises the HTML of Markdown and raw HTML. `seal` sanitises the result as the last step,
so that a mistake in between can't let unsafe markup through.
"""

import re

import nh3

from .code import CLASSES
from .document import TextError
from .formulas import CLASSES as FORMULA_CLASSES

SCHEMES = frozenset({"http", "https", "mailto", "tel"})
MAX_OPEN = 5000

_BLOCKS = frozenset(
    "address article aside blockquote caption col colgroup dd details div dl dt figcaption figure "  # noqa: SIM905 - reads best as words
    "footer h1 h2 h3 h4 h5 h6 header hr li ol p pre section summary table tbody td tfoot th thead "
    "tr ul".split()
)
_INLINE = frozenset(
    "a abbr b bdi bdo br cite code data del dfn em i img ins kbd mark progress q rp rt ruby s samp "  # noqa: SIM905 - reads best as words
    "small span strong strike sub sup time tt u var wbr".split()
)
_MATH = frozenset(
    "math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot "  # noqa: SIM905 - reads best as words
    "mrow mspace msqrt mstyle msub msubsup msup mtable mtd mtext mtr munder munderover".split()
)
_EMBEDS = frozenset({"audio", "iframe", "input", "source", "video"})
ACCEPTED_TAGS = _BLOCKS | _INLINE | _MATH | _EMBEDS
"""The elements that a writer's HTML may have; those of other sites become links."""

_ATTRIBUTES = {
    "*": {"dir", "id", "lang", "title"},
    "a": {"href"},
    "abbr": {"title"},
    "blockquote": {"cite"},
    "col": {"span"},
    "colgroup": {"span"},
    "data": {"value"},
    "del": {"cite", "datetime"},
    "details": {"open"},
    "img": {"alt", "src"},
    "ins": {"cite", "datetime"},
    "li": {"value"},
    "ol": {"reversed", "start", "type"},
    "progress": {"max", "value"},
    "q": {"cite"},
    "td": {"colspan", "headers", "rowspan"},
    "th": {"colspan", "headers", "rowspan", "scope"},
    "time": {"datetime"},
}
_MATH_ATTRIBUTES = set(
    "accent accentunder display displaystyle fence form height linethickness lspace mathvariant "  # noqa: SIM905 - reads best as words
    "maxsize minsize notation rspace scriptlevel stretchy voffset width".split()
)
_ATTRIBUTES |= {name: set(_MATH_ATTRIBUTES) for name in _MATH}
_ATTRIBUTES["math"].add("alttext")
_CLASSES = {
    "a": {"footnote-backref"},
    "code": set[str](),
    "div": {
        "highlight",
        "markdown-alert",
        *(f"markdown-alert-{kind}" for kind in ("caution", "important", "note", "tip", "warning")),
    },
    "hr": {"footnotes-sep"},
    "li": {"footnote-item", "task-list-item"},
    "ol": {"footnotes-list"},
    "p": {"markdown-alert-title"},
    "section": {"footnotes"},
    "span": set(CLASSES),
    "sup": {"footnote-ref"},
    "ul": {"contains-task-list"},
    **{name: set(FORMULA_CLASSES) for name in _MATH},
}
_LANGUAGE_CLASS = re.compile(r"language-[a-z0-9_+#.-]{1,30}")
REMOVED_WITH_CONTENT = frozenset({"script", "style", "template", "textarea", "title", "xmp"})


def _attributes(
    extra: dict[str, set[str]], common: frozenset[str] = frozenset()
) -> dict[str, set[str]]:
    names = {*_ATTRIBUTES, *extra, "code"}
    merged = {name: _ATTRIBUTES.get(name, set()) | extra.get(name, set()) for name in names}
    merged["*"] |= common
    merged["code"] = {"class"}  # an open set of languages: the filter below decides
    return merged


def _language_only(tag: str, name: str, value: str) -> str | None:
    if tag == "code" and name == "class":
        return value if _LANGUAGE_CLASS.fullmatch(value) else None
    return value


def _classes(extra: dict[str, set[str]]) -> dict[str, set[str]]:
    merged = {
        name: _CLASSES.get(name, set()) | extra.get(name, set()) for name in {*_CLASSES, *extra}
    }
    return {name: classes for name, classes in merged.items() if name != "code"}


_ADMIT = nh3.Cleaner(
    tags=set(ACCEPTED_TAGS),
    clean_content_tags=set(REMOVED_WITH_CONTENT),
    attributes=_attributes(
        {
            "a": {"name"},
            "audio": {"src"},
            "iframe": {"src"},
            "input": {"checked", "type"},
            "source": {"src"},
            "video": {"src"},
            "td": {"align", "style"},
            "th": {"align", "style"},
        }
    ),
    attribute_filter=_language_only,
    allowed_classes=_classes({"hr": {"more"}}),
    filter_style_properties={"text-align"},
    url_schemes=set(SCHEMES),
    link_rel=None,
)

_ALIGNED = {f"align-{side}" for side in ("center", "left", "right")}
_SEAL = nh3.Cleaner(
    tags=set(_BLOCKS | _INLINE | _MATH),
    clean_content_tags=set(REMOVED_WITH_CONTENT | _EMBEDS - {"input", "source"}),
    attributes=_attributes(
        {
            "a": {"aria-label", "rel"},
            "div": {"aria-label", "role", "tabindex"},
            "img": {"decoding", "height", "loading", "sizes", "srcset", "width"},
            "pre": {"tabindex"},
            "progress": {"aria-label"},
            "section": {"aria-label"},
            "span": {"aria-label", "role"},
        }
    ),
    attribute_filter=_language_only,
    allowed_classes=_classes(
        {
            "a": {"anchor"},
            "div": {"table-wrap"},
            "span": {"image-missing", "task"},
            "td": _ALIGNED,
            "th": _ALIGNED,
        }
    ),
    url_schemes=set(SCHEMES),
    link_rel=None,
)

# Tags that close themselves or one another are no towers.
_TAG = re.compile(
    r"<(/?)(?!(?:br|col|dd|dt|hr|img|input|li|p|source|tbody|td|tfoot|th|thead|tr|wbr)\b)[a-z]",
    re.IGNORECASE,
)


def admit(html: str) -> str:
    """Sanitise the writer's HTML; embeds stay, to be replaced by links."""
    _refuse_towers(html)
    return _ADMIT.clean(html)


def seal(html: str) -> str:
    """Sanitise the final HTML; idempotent."""
    return _SEAL.clean(html)


def _refuse_towers(html: str) -> None:
    """Refuse thousands of unclosed tags: an HTML parser needs quadratic time for them."""
    depth = 0
    for match in _TAG.finditer(html):
        depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > MAX_OPEN:
            raise TextError(
                f"The text opens more than {MAX_OPEN} HTML tags without closing them; close them."
            )
