"""Markdown becomes safe HTML, once, when it is saved.

Pure: no framework, no database, no clock, no file; the same text always gives the same bytes.
"""

from .document import Heading, Image, Rendered, Rendition, TextError
from .rendering import render
from .typography import PLAIN, Typography

__all__ = [
    "PLAIN",
    "Heading",
    "Image",
    "Rendered",
    "Rendition",
    "TextError",
    "Typography",
    "render",
]
