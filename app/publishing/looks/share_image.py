"""The image that other sites show with a link, cut out of a cover. Pure: bytes in, bytes out."""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageOps

from app.publishing.text.palette import LIGHT

from .drawing import SOCIAL_SIZE

_QUALITY = 82
_CENTRE = (0.5, 0.4)
"""Where the part of a tall picture lies: faces are mostly above the middle."""


def share_jpeg(content: bytes) -> bytes:
    """Return an image in the size of share images, on paper where it is transparent."""
    with Image.open(BytesIO(content)) as opened:
        opened.draft("RGB", SOCIAL_SIZE)  # decode a large JPEG at a fraction of its size
        image = ImageOps.exif_transpose(opened).convert("RGBA")
    fitted = ImageOps.fit(image, SOCIAL_SIZE, Image.Resampling.BICUBIC, centering=_CENTRE)
    paper = Image.new("RGB", SOCIAL_SIZE, LIGHT.paper)
    paper.paste(fitted, (0, 0), fitted)
    buffer = BytesIO()
    paper.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return buffer.getvalue()
