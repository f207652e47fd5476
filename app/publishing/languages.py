"""Language tags (BCP 47): validation, canonical spelling, and the direction of the text.

Pure: no database, no registry file. The two-letter codes are those of ISO 639-1.
"""

from __future__ import annotations

import re
from typing import Literal, TypeAlias

Direction: TypeAlias = Literal["ltr", "rtl"]

MAX_LENGTH = 35
"""The longest tag that is stored (RFC 5646, 4.4.1)."""

CODES = frozenset(
    "aa ab ae af ak am an ar as av ay az ba be bg bh bi bm bn bo br bs ca ce ch co cr cs cu cv cy"  # noqa: SIM905 - reads best as words
    " da de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu"
    " hy hz ia id ie ig ii ik io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb"
    " lg li ln lo lt lu lv mg mh mi mk ml mn mr ms mt my na nb nd ne ng nl nn no nr nv ny oc oj om"
    " or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg sh si sk sl sm sn so sq sr ss st su sv"
    " sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh"
    " zu".split()
)
_RENAMED = {"in": "id", "iw": "he", "ji": "yi", "jw": "jv", "mo": "ro"}

_TAG = re.compile(
    r"(?P<language>[a-z]{2,3})(?P<extended>(?:-[a-z]{3}){0,3})"
    r"(?:-(?P<script>[a-z]{4}))?"
    r"(?:-(?P<region>[a-z]{2}|[0-9]{3}))?"
    r"(?P<rest>(?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(?:-[a-wyz0-9](?:-[a-z0-9]{2,8})+)*(?:-x(?:-[a-z0-9]{1,8})+)?)",
    re.IGNORECASE | re.ASCII,
)
_RTL_SCRIPTS = frozenset(
    {"adlm", "arab", "aran", "hebr", "mand", "mend", "nkoo", "rohg", "samr", "syrc", "syre"}
    | {"syrj", "syrn", "thaa", "yezi"}
)
_RTL_LANGUAGES = frozenset(
    {"ar", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"}
    | {"acm", "aeb", "ajp", "apc", "arc", "ars", "ary", "arz", "azb", "bal", "bqi", "ckb", "fas"}
    | {"glk", "heb", "khw", "lad", "lrc", "luz", "mzn", "nqo", "pes", "pnb", "prs", "rhg", "sam"}
    | {"sdh", "skr", "syr", "urd", "yid", "ara", "div", "pus", "snd", "uig", "bgn", "haz", "tmr"}
)
_RTL_REGIONS = frozenset(
    {"az-ir", "kk-cn", "kk-af", "ku-iq", "ku-ir", "ky-cn", "pa-pk", "tg-pk", "tk-ir", "uz-af"}
)
"""Languages that are written from right to left in some countries only."""


class TagError(ValueError):
    """A text that is no language tag; the sentence says what is wrong."""


def parse_tag(value: str) -> str:
    """Return a language tag in its canonical spelling; raises TagError.

    The language has two letters, and then is one of ISO 639-1, or three. `pt-br` becomes `pt-BR`.
    """
    match = _TAG.fullmatch(value.strip())
    code = match["language"].lower() if match else ""
    if match is None or len(value) > MAX_LENGTH or not _is_code(code):
        raise TagError(f"{value[:40]!r} is not a language tag such as en, de-CH or zh-Hant")
    parts = [_RENAMED.get(code, code) + match["extended"].lower()]
    parts += [match["script"].capitalize()] if match["script"] else []
    parts += [match["region"].upper()] if match["region"] else []
    return "-".join(parts) + match["rest"].lower()


def _is_code(code: str) -> bool:
    return code in CODES or code in _RENAMED or len(code) == len("fil")


def primary(tag: str) -> str:
    """Return the language of a tag without script and region: `pt` for `pt-BR`."""
    return tag.partition("-")[0].lower()


def find_own_language(tag: str | None, site_language: str) -> str | None:
    """Return the language of a post if it differs from that of its site; tags ignore case."""
    return tag if tag and tag.lower() != site_language.lower() else None


def direction(tag: str) -> Direction:
    """Return the direction of a language's script: that of the tag, else the usual one."""
    match = _TAG.fullmatch(tag)
    if match is None:
        return "ltr"
    language, script = match["language"].lower(), (match["script"] or "").lower()
    if script:
        is_rtl = script in _RTL_SCRIPTS
    else:
        extended = match["extended"].lower().split("-")[1:]
        place = f"{language}-{(match['region'] or '').lower()}"
        codes = {language, *extended}
        is_rtl = not codes.isdisjoint(_RTL_LANGUAGES) or place in _RTL_REGIONS
    return "rtl" if is_rtl else "ltr"
