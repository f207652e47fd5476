"""Words, dates and numbers of the interface, in the language of the site or of a post.

Pure: the language is a parameter. Nothing here reads a request, a database or a clock.
"""

from .catalogues import Catalogue, Catalogues, Words, fill, load_catalogues
from .formats import format_day, format_month, format_months, format_number, join_names
from .locales import SOURCE_LANGUAGE, catalogue_names, find_locale, find_territory_locale

__all__ = [
    "SOURCE_LANGUAGE",
    "Catalogue",
    "Catalogues",
    "Words",
    "catalogue_names",
    "fill",
    "find_locale",
    "find_territory_locale",
    "format_day",
    "format_month",
    "format_months",
    "format_number",
    "join_names",
    "load_catalogues",
]
