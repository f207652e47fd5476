from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from PIL import Image

from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.errors import Invalid
from app.publishing.permissions import SYSTEM


def photograph(width: int = 600, height: int = 400) -> bytes:
    """A PNG with enough in it that smaller copies are smaller."""
    out = BytesIO()
    Image.effect_noise((width, height), 60).convert("RGB").save(out, "PNG")
    return out.getvalue()


def test_an_image_is_kept_with_its_smaller_copies(app: Flask, now: datetime) -> None:
    """Each file lies under the fingerprint of its own bytes."""
    content = photograph()
    media = actions.add_media(content, "../My Photo.PNG", now=now, actor=SYSTEM)
    assert (media.name, media.content_type, media.width) == ("my-photo.png", "image/png", 600)
    smallest, small, original = media.files
    assert (smallest.width, smallest.name) == (240, "my-photo-240.webp")
    assert (small.width, small.name, small.original) == (480, "my-photo-480.webp", False)
    assert original.path == f"/media/{sha256(content).hexdigest()[:20]}/my-photo.png"
    assert original.content == content
    assert small.fingerprint == sha256(small.content).hexdigest()[:20]


def test_the_same_bytes_are_the_same_row(
    app: Flask, now: datetime, dump: Callable[[], Any]
) -> None:
    """Under another name too: one image, one address, nothing written."""
    content = photograph()
    media = actions.add_media(content, "a.png", now=now, actor=SYSTEM)
    before = dump()
    assert actions.add_media(content, "b.png", now=now, actor=SYSTEM).id == media.id
    assert dump() == before


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg onload=x>", b"hello"])
def test_what_is_no_image_is_refused_in_a_sentence(
    app: Flask, now: datetime, content: bytes
) -> None:
    """And nothing is stored."""
    with pytest.raises(Invalid, match=r"\.$") as raised:
        actions.add_media(content, "x.png", now=now, actor=SYSTEM)
    assert raised.value.field == "image"


def test_a_text_shows_images_of_the_media_table(app: Flask, now: datetime) -> None:
    """With their sizes and smaller copies, so that the page does not jump."""
    media = actions.add_media(photograph(), "dawn.png", now=now, actor=SYSTEM)
    smallest, small, original = media.files
    markdown = f"![Dawn]({original.path})"
    html = actions.create(Draft(title="x", body_markdown=markdown), now=now, actor=SYSTEM).body_html
    assert f'src="{original.path}"' in html
    assert f'srcset="{smallest.path} 240w, {small.path} 480w, {original.path} 600w"' in html
    assert 'width="600" height="400"' in html
