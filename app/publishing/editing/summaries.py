"""Tell a summary that a person wrote from an excerpt of the text."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import product

from sqlalchemy.orm import Session

from app.publishing.models import Post
from app.publishing.text.typography import fold_quotes

from .rendering import find_typography, render_text

_BEGINNING = 24
_NO_LETTERS = re.compile(r":[\w+-]+:|\W+|_")


def is_excerpt(session: Session, post: Post) -> bool:
    """Whether the summary of a post is the excerpt of its text, under any settings of text.

    The settings and the language may have changed since the post was rendered.
    """
    if not post.summary:
        return True
    current = find_typography(session, post.language)
    for changes_emoji, changes_punctuation in product((False, True), repeat=2):
        typography = replace(
            current,
            emoji=current.emoji != changes_emoji,
            smart_punctuation=current.smart_punctuation != changes_punctuation,
        )
        rendered = render_text(session, post.title, post.body_markdown, typography=typography)
        if fold_quotes(rendered.excerpt) == fold_quotes(post.summary):
            return True
        if _first_letters(rendered.excerpt) != _first_letters(post.summary):
            return False  # another text: no settings make one of the other
    return False


def _first_letters(text: str) -> str:
    """Return the first letters and digits of a text, which no setting of text changes."""
    return _NO_LETTERS.sub("", text)[:_BEGINNING]
