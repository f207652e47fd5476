"""The images that other sites show with a link: 1200 by 630 pixels, with a text for each.

The image of an article with a cover is cut out of the cover, at an address with its digest.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, Response, abort
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing.looks.drawing import SOCIAL_SIZE, is_readable
from app.publishing.looks.look import SVG, Look, Picture
from app.publishing.looks.share_image import share_jpeg
from app.publishing.models import Post
from app.publishing.queries import media

from . import policies, theme

bp = Blueprint("share_images", __name__)

_TOLERANCE = 0.02
"""How far the proportions of a given image may be from those of share images."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareImage:
    """One image: where it is, its size, and what it shows."""

    path: str
    alt: str
    width: int = SOCIAL_SIZE[0]
    height: int = SOCIAL_SIZE[1]


@bp.get("/theme/covers/<string(length=20):fingerprint>.jpg")
@cached(policies.MEDIA)
def show(fingerprint: str) -> ResponseReturnValue:
    """A stored image in the size of share images."""
    if not fingerprint.isalnum():
        abort(404)
    file = media.original(fingerprint) or abort(404)
    if file.content_type == SVG or not is_readable(file.content):
        abort(404)
    return Response(share_jpeg(file.content), content_type="image/jpeg")


def image_of_post(post: Post) -> ShareImage | None:
    """Return the image of a post with a cover; None without one, and for a drawing."""
    files = post.cover.files if post.cover else []
    original = next((file for file in files if file.original), None)
    if original is None or original.content_type == SVG:
        return None
    return ShareImage(path=_path(original.fingerprint), alt=post.cover_alt or post.title)


def image_of_site(look: Look, given: Picture | None) -> ShareImage:
    """Return the image of all other pages: the given one, or the one that is made of the look."""
    if given is None or given.is_drawing:
        return ShareImage(path=theme.social_path(look), alt=look.title)
    wanted, actual = SOCIAL_SIZE[0] / SOCIAL_SIZE[1], given.width / max(given.height, 1)
    if abs(actual / wanted - 1) > _TOLERANCE:
        return ShareImage(path=_path(given.path.split("/")[2]), alt=look.title)
    return ShareImage(path=given.path, alt=look.title, width=given.width, height=given.height)


def _path(fingerprint: str) -> str:
    return f"/theme/covers/{fingerprint}.jpg"
