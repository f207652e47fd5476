"""The style sheet, the icons and the social image that are made from the site's settings.

Each address has a digest of what the file is made from, so the files never change. An address with
another digest, of earlier settings, answers 404.
"""

from __future__ import annotations

from flask import Blueprint, Response, abort, jsonify, url_for
from flask.typing import ResponseReturnValue

from app.edge import cached
from app.publishing import languages
from app.publishing.looks import drawing
from app.publishing.looks.look import SVG, Look, Picture
from app.publishing.looks.stylesheet import accent_styles, styles_digest
from app.publishing.queries import site
from app.publishing.text.palette import LIGHT

from . import policies

bp = Blueprint("theme", __name__)

_DIGEST = "<string(length=16):digest>"


@bp.get(f"/theme/{_DIGEST}.css")
@cached(policies.MEDIA)
def stylesheet(digest: str) -> ResponseReturnValue:
    """The accent colours."""
    styles = accent_styles(*site.columns("accent", "accent_dark"))
    if not styles or styles_digest(styles) != digest:
        abort(404)
    return Response(styles, content_type="text/css; charset=utf-8")


@bp.get(f"/theme/{_DIGEST}/icon.svg")
@cached(policies.MEDIA)
def icon_svg(digest: str) -> ResponseReturnValue:
    """The icon as a drawing."""
    look = _look_with_icon(digest)
    if look.icon_source is not None:
        abort(404)
    return Response(drawing.icon_svg(look), content_type=SVG)


@bp.get(f"/theme/{_DIGEST}/icon-<number:size>.png")
@cached(policies.MEDIA)
def icon_png(digest: str, size: int) -> ResponseReturnValue:
    """The icon in one of its sizes."""
    if size not in drawing.ICON_SIZES:
        abort(404)
    look = _look_with_icon(digest)
    return Response(drawing.icon_png(look, size, icon_content(look)), content_type="image/png")


@bp.get(f"/theme/{_DIGEST}/social.png")
@cached(policies.MEDIA)
def social(digest: str) -> ResponseReturnValue:
    """The image that other sites show with a link."""
    look = load_look(has_icon=False)
    if look.social_digest != digest:
        abort(404)
    return Response(drawing.social_png(look, _content(look.logo)), content_type="image/png")


@bp.get("/site.webmanifest")
@cached(policies.MANIFEST)
def manifest() -> ResponseReturnValue:
    """The name and the icons of the site, for phones."""
    look = load_look()
    (language,) = site.columns("language")
    response = jsonify(
        name=look.title,
        lang=language,
        dir=languages.direction(language),
        start_url="/",
        display="browser",
        background_color=LIGHT.paper,
        theme_color=LIGHT.paper,
        icons=[
            {"src": icon_path(look, size), "sizes": f"{size}x{size}", "type": "image/png"}
            for size in (192, 512)
        ],
    )
    response.content_type = "application/manifest+json"
    return response


def _look_with_icon(digest: str) -> Look:
    look = load_look()
    if look.icon_digest != digest:
        abort(404)
    return look


def load_look(*, has_icon: bool = True) -> Look:
    """Load the settings that the icons, or the social image, are made from."""
    title, accent, logo_id = site.columns("title", "accent", "logo_id")
    (icon_id,) = site.columns("icon_id") if has_icon else (None,)
    return Look(title=title, accent=accent, logo=site.picture(logo_id), icon=site.picture(icon_id))


def icon_content(look: Look) -> bytes | None:
    """Return the bytes of the image that icons are made from; None to draw one."""
    return _content(look.icon_source)


def _content(source: Picture | None) -> bytes | None:
    if source is None or source.is_drawing:
        return None
    content = site.image_content(source.media_id)
    return content if content is not None and drawing.is_readable(content) else None


def stylesheet_path(accent: str, accent_dark: str) -> str:
    """Return the address of the style sheet of these colours; empty if none is set."""
    styles = accent_styles(accent, accent_dark)
    return f"/theme/{styles_digest(styles)}.css" if styles else ""


def icon_path(look: Look, size: int) -> str:
    """Return the address of the icon in one of its sizes."""
    if look.is_default:
        name = "apple-touch-icon.png" if size == drawing.ICON_SIZES[0] else f"img/icon-{size}.png"
        return url_for("static", filename=name)
    return f"/theme/{look.icon_digest}/icon-{size}.png"


def icon_svg_path(look: Look) -> str:
    """Return the address of the icon as a drawing; empty if it is a photo or the like."""
    if look.is_default:
        return url_for("static", filename="favicon.svg")
    source = look.icon_source
    if source is None:
        return f"/theme/{look.icon_digest}/icon.svg"
    return source.path if source.is_drawing else ""


def social_path(look: Look) -> str:
    """Return the address of the social image that is made for a site."""
    if look.is_default:
        return url_for("static", filename="img/share.jpg")
    return f"/theme/{look.social_digest}/social.png"
