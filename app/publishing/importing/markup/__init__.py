"""The tags of other tools inside a text: converted to Markdown, removed, or named in a remark.

Pure: a text in, a text out. No file is read and nothing is executed.
"""

from .conversion import convert_markup
from .html import convert_html
from .source import ConvertedText, MarkupContext, MarkupRemark

__all__ = ["ConvertedText", "MarkupContext", "MarkupRemark", "convert_html", "convert_markup"]
