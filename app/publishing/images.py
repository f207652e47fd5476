"""Images: what a file really is, and smaller copies of it.

Pure: bytes in, bytes out. What a file is called says nothing about what it is.
"""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from io import BytesIO
from pathlib import PurePosixPath
from typing import NewType

from PIL import Image, ImageOps, UnidentifiedImageError

from . import avif_metadata, image_metadata, svg, svg_metadata
from .slugs import slugify
from .svg import ImageError

__all__ = [
    "CleanImage",
    "EncodedRendition",
    "ImageError",
    "ImageInfo",
    "count_pixels",
    "inspect",
    "inspect_and_scale",
    "remove_metadata",
    "renditions",
]

CleanImage = NewType("CleanImage", bytes)
"""The bytes of an image without metadata; only `remove_metadata` makes one."""

MAX_BYTES = 20 * 1024 * 1024
MAX_PIXELS = 50_000_000
WIDTHS = (240, 480, 720, 960, 1600)
"""For thumbnails, columns and whole pages, on screens of one to three pixels per CSS pixel.

All copies are WebP. AVIF would be a third smaller, but takes three to four times the CPU of all of
these together, even at its speed 8; an import would take so much longer.
"""

_QUALITY = 80
_METHOD = 2
"""WebP's effort, of 0 to 6: 4 takes twice the time for files that are 3 % smaller."""
_FILTER = Image.Resampling.HAMMING
"""Half the work of BICUBIC, and as sharp when an image becomes smaller."""
_REDUCING_GAP = 3.0
"""Pillow first shrinks an image cheaply to about this many times its new size."""
_FORMATS = {
    "AVIF": ("image/avif", "avif"),
    "GIF": ("image/gif", "gif"),
    "JPEG": ("image/jpeg", "jpg"),
    "PNG": ("image/png", "png"),
    "WEBP": ("image/webp", "webp"),
}
# EXIF says how the camera was held; from the fifth value on, it lay on its side.
_ORIENTATION, _ON_ITS_SIDE = 0x0112, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageInfo:
    """An accepted image: a file name for its URL, type, size as shown, SHA-256 of its bytes."""

    name: str
    media_type: str
    width: int
    height: int
    size: int
    digest: str
    animated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedRendition:
    """A smaller copy of an image, always WebP and without its metadata."""

    width: int
    height: int
    data: bytes
    digest: str
    media_type: str = "image/webp"


def remove_metadata(data: bytes) -> CleanImage:
    """Return the image as it may be published: the same picture without metadata.

    The result is what `inspect` accepts or refuses; applied twice, it changes nothing more. Raises
    `ImageError` for a file that is empty, too large or damaged, and for HEIC.
    """
    _bounded(data)
    if avif_metadata.is_heic(data):
        raise ImageError("The image is HEIC, which few browsers show; export it as JPEG.")
    if svg.looks_like_svg(data):
        return CleanImage(svg_metadata.clean(data, image_metadata.remove_metadata))
    try:
        return CleanImage(image_metadata.remove_metadata(data))
    except ImageError:
        raise
    # Turning a PNG or WebP decodes it, and each decoder raises other exceptions.
    except Exception as error:  # noqa: BLE001
        raise ImageError(f"The image is damaged ({error}); export it again.") from None


def inspect(data: bytes, name: str) -> ImageInfo:
    """Tell what an image is; raises `ImageError` with one sentence for what is refused."""
    _bounded(data)
    if svg.looks_like_svg(data):
        width, height = svg.inspect(data)
        return ImageInfo(
            name=_file_name(name, "svg"),
            media_type=svg.MEDIA_TYPE,
            width=width,
            height=height,
            size=len(data),
            digest=sha256(data).hexdigest(),
        )
    with _open_image(data) as image:
        image.load()
        return _info(image, data, name)


def _info(image: Image.Image, data: bytes, name: str) -> ImageInfo:
    width, height = _shown_size(image)
    media_type, suffix = _FORMATS[image.format or ""]
    return ImageInfo(
        name=_file_name(name, suffix),
        media_type=media_type,
        width=width,
        height=height,
        size=len(data),
        digest=sha256(data).hexdigest(),
        animated=_is_animated(image),
    )


def renditions(data: bytes, widths: Sequence[int] = WIDTHS) -> tuple[EncodedRendition, ...]:
    """Make WebP copies at the widths below the image's own, narrowest first.

    None for drawings and moving images, and none that would be larger than the original.
    """
    _bounded(data)
    if svg.looks_like_svg(data):
        return ()
    with _open_image(data) as image:
        return _scale(image, data, _smaller_widths(image, widths))


def inspect_and_scale(data: bytes, name: str) -> tuple[ImageInfo, tuple[EncodedRendition, ...]]:
    """Return what `inspect` and `renditions` do, and decode the image once for both."""
    _bounded(data)
    if svg.looks_like_svg(data):
        return inspect(data, name), ()
    with _open_image(data) as image:
        info = _info(image, data, name)
        copies = _scale(image, data, _smaller_widths(image, WIDTHS))
        image.load()  # an image without copies may be damaged, too
        return info, copies


def count_pixels(data: bytes) -> int:
    """Return the size of the image when it is decoded; 0 for what is drawn or can't be opened."""
    if svg.looks_like_svg(data):
        return 0
    try:
        with _open_image(data) as image:
            return image.width * image.height
    except ImageError:
        return 0


def _smaller_widths(image: Image.Image, widths: Sequence[int]) -> list[int]:
    """Return the widths below the image's own, narrowest first; none for a moving image."""
    if _is_animated(image):
        return []
    return sorted({width for width in widths if 0 < width < _shown_size(image)[0]})


def _scale(image: Image.Image, data: bytes, widths: Sequence[int]) -> tuple[EncodedRendition, ...]:
    if not widths:
        return ()
    sizes = [(width, _height(image, width)) for width in reversed(widths)]
    _decode_smaller(image, sizes[0])
    upright = _paintable(ImageOps.exif_transpose(image))
    profile = image.info.get("icc_profile")
    copies: list[EncodedRendition] = []
    for size in sizes:  # each copy is made of the one that is a bit wider
        upright = upright.resize(size, _FILTER, reducing_gap=_REDUCING_GAP)
        copies.insert(0, _encode(upright, profile))
    return tuple(copy for copy in copies if len(copy.data) < len(data))


def _height(image: Image.Image, width: int) -> int:
    """Return the height of a copy of this width."""
    whole_width, whole_height = _shown_size(image)
    return max(1, round(whole_height * width / whole_width))


def _decode_smaller(image: Image.Image, size: tuple[int, int]) -> None:
    """Decode a JPEG at a half, a quarter or an eighth, if that is enough for the copies."""
    on_its_side = _shown_size(image) != image.size
    image.draft(image.mode, size[::-1] if on_its_side else size)


@contextmanager
def _open_image(data: bytes) -> Iterator[Image.Image]:
    """Open an image; every exception that Pillow raises for bad data becomes an `ImageError`."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=tuple(_FORMATS))
        _refuse_bomb(image.width * image.height)
        with image:
            yield image
    except ImageError:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        _refuse_bomb(None)
    except UnidentifiedImageError:
        raise ImageError(
            "The file is none of JPEG, PNG, GIF, WebP, AVIF and SVG; convert it to one of them."
        ) from None
    # Each decoder raises other exceptions: OSError, SyntaxError, struct.error, …
    except Exception as error:  # noqa: BLE001
        raise ImageError(f"The image is damaged ({error}); export it again.") from None


def _refuse_bomb(pixels: int | None) -> None:
    if pixels is None or pixels > MAX_PIXELS:
        raise ImageError(
            f"The image has more than {MAX_PIXELS // 1_000_000} million pixels; scale it down."
        )


def _bounded(data: bytes) -> None:
    if not data:
        raise ImageError("The image is empty; export it again.")
    if len(data) > MAX_BYTES:
        raise ImageError(f"The image has more than {MAX_BYTES // 1024 // 1024} MiB; scale it down.")


def _shown_size(image: Image.Image) -> tuple[int, int]:
    on_its_side = image.getexif().get(_ORIENTATION, 1) >= _ON_ITS_SIDE
    return (image.height, image.width) if on_its_side else (image.width, image.height)


def _is_animated(image: Image.Image) -> bool:
    return bool(getattr(image, "is_animated", False))


def _paintable(image: Image.Image) -> Image.Image:
    """Turn any mode into one that WebP knows: RGB, or RGBA when something shines through."""
    if image.mode.startswith("I"):  # 16 bits of grey
        image = image.point(lambda value: value / 256).convert("L")
    if image.mode not in {"RGB", "RGBA"}:
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    if image.mode == "RGBA" and image.getchannel("A").getextrema() == (255, 255):
        return image.convert("RGB")  # nothing shines through; a third less to scale
    return image


def _encode(image: Image.Image, profile: bytes | None) -> EncodedRendition:
    out = BytesIO()
    image.save(out, "WEBP", quality=_QUALITY, method=_METHOD, icc_profile=profile or b"")
    data, (width, height) = out.getvalue(), image.size
    return EncodedRendition(width=width, height=height, data=data, digest=sha256(data).hexdigest())


def _file_name(name: str, suffix: str) -> str:
    stem = PurePosixPath(name.replace("\\", "/")).stem
    return f"{slugify(stem)}.{suffix}"
