"""Render a text when it is saved; its images come from the media table."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from app.publishing.errors import Invalid
from app.publishing.models import Media, MediaFile, Site
from app.publishing.text import (
    PLAIN,
    Heading,
    Image,
    Rendered,
    Rendition,
    TextError,
    Typography,
    render,
)

_MEDIA = re.compile(r"/media/([0-9a-f]{20})/[^/]+\Z")


def find_typography(session: Session, language: str | None) -> Typography:
    """Return the settings of text of the site, for a post in this language or in the site's."""
    columns = sa.select(Site.emoji, Site.smart_punctuation, Site.language)
    row = session.execute(columns).one_or_none()
    if row is None:
        return PLAIN
    return Typography(
        emoji=row.emoji,
        smart_punctuation=row.smart_punctuation,
        language=language or row.language,
    )


def render_text(
    session: Session,
    title: str,
    markdown: str,
    *,
    language: str | None = None,
    typography: Typography | None = None,
) -> Rendered:
    """Return the rendered text; raises Invalid if it is too large or nested too deeply.

    `typography` is that of the site unless another one is given.
    """
    try:
        return render(
            markdown,
            title=title,
            resolve_image=lambda source: find_image(session, source),
            resolve_link=lambda _href: None,  # links to moved posts are redirected
            typography=typography or find_typography(session, language),
        )
    except TextError as error:
        raise Invalid("body_markdown", str(error)) from None


def find_image(session: Session, source: str) -> Image | None:
    """Return the image for `/media/…` in a text, with its smaller copies."""
    match = _MEDIA.match(source)
    if match is None:
        return None
    media = session.scalars(
        sa.select(Media)
        .join(MediaFile, MediaFile.media_id == Media.id)
        .where(MediaFile.fingerprint == match[1])
        .order_by(MediaFile.original.desc(), Media.id)
        .limit(1)
    ).first()
    return None if media is None else image_of(media.files)


def image_of(files: Sequence[MediaFile]) -> Image:
    """Convert media files to an image of `publishing.text`: the original and its smaller copies."""
    original = next(file for file in files if file.original)
    return Image(
        url=original.path,
        width=original.width,
        height=original.height,
        renditions=tuple(
            Rendition(url=file.path, width=file.width)
            for file in files
            if not file.original and file.width < original.width
        ),
    )


def body_columns(rendered: Rendered) -> dict[str, Any]:
    """Return the columns of a post that are derived from its text."""
    return {
        "body_html": rendered.html,
        "body_text": rendered.text,
        "contents": [_entry(heading) for heading in rendered.toc],
        "word_count": rendered.word_count,
        "minutes": rendered.minutes,
    }


def _entry(heading: Heading) -> dict[str, Any]:
    entry = {"level": heading.level, "id": heading.id, "text": heading.text}
    return entry | ({"html": heading.html} if heading.html else {})
