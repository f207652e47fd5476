"""Tell a summary that a person wrote from an excerpt of the text."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

from sqlalchemy.orm import Session

from app.publishing.models import Post
from app.publishing.text.typography import fold_quotes

from .rendering import find_typography, render_text


def is_excerpt(session: Session, post: Post) -> bool:
    """Whether the summary of a post is the excerpt of its text, under any settings of text.

    The settings and the language may have changed since the post was rendered.
    """
    if not post.summary:
        return True
    summary = fold_quotes(post.summary)
    current = find_typography(session, post.language)
    for changes_emoji, changes_punctuation in product((False, True), repeat=2):
        typography = replace(
            current,
            emoji=current.emoji != changes_emoji,
            smart_punctuation=current.smart_punctuation != changes_punctuation,
        )
        rendered = render_text(session, post.title, post.body_markdown, typography=typography)
        if fold_quotes(rendered.excerpt) == summary:
            return True
    return False
