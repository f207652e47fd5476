"""The doors of a deploy: a template or a catalogue of words is edited and released."""

from __future__ import annotations

import re

from .write_context import Desk, Door

_END = re.compile(r"{% end(?:block|macro)[^%]*%}")

OFTEN = (
    "site/articles/show.html",
    "site/topics/show.html",
    "site/authors/index.html",
    "site/archive/numbered.html",
    "site/errors/not_found.html",
    "site/home/show.html",
    "site/search/show.html",
    "site/pages/show.html",
)
SELDOM = ("site/base.html", "site/list.html", "site/shared/parts.html")


def edit_template(desk: Desk) -> None:
    """Pages that are rendered from it look different, no others."""
    name = desk.one((*OFTEN, *OFTEN, desk.one(SELDOM)))
    mark = f"<!-- {desk.newsroom.edition + 1} -->"
    desk.newsroom.deploy(name, lambda source: edited(source, mark))


def edited(source: str, mark: str) -> str:
    """A template that shows the mark at its end, or at that of its last block."""
    at = source.find("</body>")
    if at < 0:
        at = [match.start() for match in _END.finditer(source)][-1]
    return f"{source[:at]}{mark}{source[at:]}"


def edit_catalogue(desk: Desk) -> None:
    """Pages of a site in this language look different, and so do those of a post in it."""
    language = desk.one(("de", "ar", "fr"))
    word = f"{desk.newsroom.edition + 1}"
    desk.newsroom.deploy_catalogue(
        language, lambda source: re.sub(r'(msgid "Feed"\nmsgstr ").*"', rf'\g<1>{word}"', source)
    )


RELEASES: dict[Door, int] = {edit_template: 1, edit_catalogue: 1}
"""Each with how often it is opened, compared with the others."""
