"""How each tool makes a slug of a title or a name, letter by letter. Pure functions."""

from __future__ import annotations

import re
from unicodedata import category, combining, normalize

from text_unidecode import unidecode

_HUGO_KEPT = frozenset("./\\_#+~-@")
_HEX = re.compile(r"[0-9A-Fa-f]{2}")
_JEKYLL_PRETTY = frozenset("._~!$&'()+,;=@")
_HEXO_MARKS = re.compile(r"""[\s~`!@#$%^&*()\-_+=\[\]{}|\\;:"'<>,.?/]+""")
_CONTROLS = re.compile(r"[\x00-\x1f]")
_TAGS = re.compile(r"<[^<>]*>")


def hugo(text: str, *, lower: bool = True, strip_accents: bool = False) -> str:
    """Hugo's `urlize`: letters, digits and marks of all scripts; blanks become hyphens."""
    characters: list[str] = []
    hyphen_due = False
    for index, letter in enumerate(text):
        if _kept_by_hugo(text, index):
            if hyphen_due and letter != "-":
                characters.append("-")
            hyphen_due = False
            characters.append(letter)
        elif characters and characters[-1] != "-" and letter.isspace():
            hyphen_due = True
    slug = "".join(characters)
    if strip_accents:
        slug = without_accents(slug)
    return slug.lower() if lower else slug


def _kept_by_hugo(text: str, index: int) -> bool:
    letter = text[index]
    if letter == "%":
        return _HEX.match(text, index + 1) is not None
    return letter in _HUGO_KEPT or category(letter)[0] in "LM" or category(letter) == "Nd"


def without_accents(text: str) -> str:
    """Remove the marks above and below letters."""
    return normalize("NFC", "".join(c for c in normalize("NFD", text) if not combining(c)))


def jekyll(text: str, mode: str = "default", *, cased: bool = False) -> str:
    """Jekyll's `slugify` in one of its modes; an unknown mode only makes lower case."""
    if mode == "latin":
        text, mode = unidecode(text), "default"
    if mode in _JEKYLL_ALLOWED:
        text = _squeeze(text, mode).strip("-") if mode != "none" else text
    return text if cased else text.lower()


_JEKYLL_ALLOWED = frozenset({"raw", "default", "pretty", "ascii"})


def _squeeze(text: str, mode: str) -> str:
    """Put one hyphen in the place of each run of characters that the mode does not allow."""
    pieces: list[str] = []
    for letter in text:
        if _kept_by_jekyll(letter, mode):
            pieces.append(letter)
        elif not pieces or pieces[-1] != "\0":
            pieces.append("\0")
    return "".join(pieces).replace("\0", "-")


def _kept_by_jekyll(letter: str, mode: str) -> bool:
    if mode == "raw":
        return not letter.isspace()
    if mode == "ascii":
        return letter.isascii() and letter.isalnum()
    if mode == "pretty" and letter in _JEKYLL_PRETTY:
        return True
    return category(letter)[0] in "LM" or category(letter) == "Nd"


def zola(text: str, mode: str = "on") -> str:
    """Zola's `slugify.paths`: `on` makes ASCII, `safe` drops unsafe characters, `off` nothing."""
    if mode == "off":
        return text
    if mode == "safe":
        return re.sub(r'[<>:"/\\|?*\x00-\x1f]', "", text.rstrip(" .")).replace(" ", "_")
    return re.sub(r"[^a-z0-9]+", "-", unidecode(text).lower()).strip("-")


def pelican(text: str, *, use_unicode: bool = False) -> str:
    """Pelican's slugs: word characters only, runs of blanks and hyphens become one hyphen."""
    text = normalize("NFKC", _TAGS.sub("", text))
    text = text if use_unicode else unidecode(text)
    text = re.sub(r"[^\w\s-]", "", text).strip()
    return re.sub(r"[-\s]+", "-", text).lower()


def hexo(text: str) -> str:
    """Hexo's `slugize`: accents are folded, marks become hyphens, the case stays."""
    text = _CONTROLS.sub("", without_accents(text))
    return _HEXO_MARKS.sub("-", text).strip("-")


def nikola(text: str, *, is_on: bool = True) -> str:
    """Nikola's slugs; with USE_SLUGIFY off only unsafe marks become hyphens."""
    if not is_on:
        return re.sub(r'[\s/\\?%*:|"<>]+', "-", text)
    text = re.sub(r"[^\w\s-]", "", unidecode(text)).strip().lower()
    return re.sub(r"[-\s]+", "-", text)


def github(text: str) -> str:
    """The github-slugger that Astro uses: each blank becomes a hyphen, none are joined."""
    kinds = ((letter, category(letter)) for letter in text.lower())
    characters = (c for c, kind in kinds if c in "_- " or kind[0] in "LM" or kind in _DIGITS)
    return "".join(characters).replace(" ", "-")


_DIGITS = frozenset({"Nd", "Nl"})


def eleventy(text: str) -> str:
    """Eleventy's `slugify` filter: words in camelCase are parted."""
    text = re.sub(r"([a-z0-9])([A-Z])", r"\1 \2", text.replace("&", " and "))
    text = re.sub(r"([A-Z]+)([A-Z][a-z0-9]+)", r"\1 \2", text)
    return re.sub(r"[^a-z0-9]+", "-", unidecode(text).lower().replace("'", "")).strip("-")
