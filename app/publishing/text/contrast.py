"""The contrast of two colours as WCAG 2 defines it. Pure.

A colour is six hexadecimal digits, without the number sign.
"""

from __future__ import annotations

from collections.abc import Iterator

AA = 4.5
"""The contrast that text of normal size needs (WCAG 2.2, 1.4.3)."""

_LINEAR_BELOW = 0.04045


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour, from 0 for black to 1 for white."""
    red, green, blue = (_linear(part) for part in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colour: str, ground: str) -> float:
    """Return the contrast ratio, from 1 to 21."""
    low, high = sorted((luminance(colour), luminance(ground)))
    return (high + 0.05) / (low + 0.05)


def raise_contrast(colour: str, ground: str, *, least: float = AA) -> str:
    """Return the colour nearest to `colour`, darker or lighter, that has the least contrast."""
    is_light = contrast("000000", ground) > contrast("ffffff", ground)
    steps = _steps_to(colour, 0 if is_light else 255)
    return next(step for step in steps if contrast(step, ground) >= least)


def _steps_to(colour: str, end: int) -> Iterator[str]:
    """Yield a colour, mixed with more and more black or white."""
    yield colour
    channels = [*_channels(colour)]
    for share in range(1, 101):
        mixed = (round(part + (end - part) * share / 100) for part in channels)
        yield "".join(f"{part:02X}" for part in mixed)


def _channels(colour: str) -> Iterator[int]:
    return (int(colour[start : start + 2], 16) for start in (0, 2, 4))


def _linear(part: int) -> float:
    share = part / 255
    return share / 12.92 if share <= _LINEAR_BELOW else ((share + 0.055) / 1.055) ** 2.4
