"""The settings that icons and the social image are made from. Pure: no database."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import PIL

from app.publishing.site_settings import BY_NAME
from app.publishing.text.palette import LIGHT

_DRAWING = "1"
"""Raise it when the drawings change: their addresses must change as well."""
_SQUARE = (0.8, 1.25)
SVG = "image/svg+xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """An image of the site's settings: its row, its original, and the file that pages show."""

    media_id: int
    path: str
    shown_path: str
    content_type: str
    width: int
    height: int

    @property
    def is_drawing(self) -> bool:
        """Whether it is an SVG, which Pillow can't draw."""
        return self.content_type == SVG

    @property
    def is_square(self) -> bool:
        """Whether it is as wide as it is high, or nearly."""
        return _SQUARE[0] <= self.width / max(self.height, 1) <= _SQUARE[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """The name, the accent colour, the logo and the icon of a site; `accent` may be empty."""

    title: str
    accent: str = ""
    logo: Picture | None = None
    icon: Picture | None = None

    @property
    def is_default(self) -> bool:
        """Whether nothing was set, so that the files of the project itself are used."""
        return self == Look(title=BY_NAME["title"].default)

    @property
    def colour(self) -> str:
        """The accent colour, or that of the style sheet."""
        return self.accent or LIGHT.accent

    @property
    def mark(self) -> str:
        """The first letter or digit of the name, which stands on an icon without an image."""
        return next((char for char in self.title if char.isalnum()), "").upper()[:1]

    @property
    def icon_source(self) -> Picture | None:
        """The image that icons are made from: the icon that is given, else a square logo."""
        if self.icon is not None:
            return self.icon
        return self.logo if self.logo is not None and self.logo.is_square else None

    @property
    def icon_digest(self) -> str:
        """A digest of everything that the icons are made from."""
        source = self.icon_source
        return _digest("icon", source.path if source else "", self.mark, self.colour)

    @property
    def social_digest(self) -> str:
        """A digest of everything that the social image is made from."""
        return _digest("social", self.logo.path if self.logo else "", self.title, self.colour)


def _digest(*parts: str) -> str:
    text = "\0".join((_DRAWING, PIL.__version__, *parts))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
