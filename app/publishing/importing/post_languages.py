"""The languages of the posts of a folder: which one is the default, and which slugs get a suffix.

Pure: tags in, tags out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from app.publishing.languages import primary


@dataclass(frozen=True, slots=True, kw_only=True)
class PostLanguages:
    """The languages of the old site and of the site that takes the posts.

    `stated_default` is the default language of the old site's configuration, if that names one, and
    `configured` are its other languages. `only` is the one language whose posts are imported.
    """

    site_language: str = "en"
    stated_default: str | None = None
    configured: frozenset[str] = frozenset()
    only: str | None = None

    def find_default(self, languages: Iterable[str | None]) -> str:
        """Return the language whose posts keep their slugs without a suffix.

        `languages` are the tags that the posts state. Without a configuration it is the language of
        the site, unless every post states another one: then it is the one that most posts have.
        """
        if self.stated_default:
            return self.stated_default
        counts = Counter(languages)
        site_languages = {None} | {tag for tag in counts if tag and self.is_of_site(tag)}
        if not counts or not site_languages.isdisjoint(counts):
            return self.site_language
        return min((tag for tag in counts if tag), key=lambda tag: (-counts[tag], tag))

    def is_of_site(self, tag: str) -> bool:
        """Whether a tag means the language of the site, which may add a script or a country."""
        return _is_range(tag, self.site_language)

    def suffix(self, tag: str | None, default: str) -> str:
        """Return the end of the slugs of a language, `-fa`; the default language has none."""
        if tag is None or tag.lower() == default.lower():
            return ""
        are_both_configured = {tag.lower(), default.lower()} <= self.configured
        is_default = _is_range(tag, default) or _is_range(default, tag)
        return "" if is_default and not are_both_configured else f"-{tag.lower()}"

    def find_own(self, tag: str | None, *, is_stated_in_file: bool) -> str | None:
        """Return the language to save with a post; None if it is in the site's language.

        What a file states itself is saved as it is.
        """
        if tag is None:
            return self._default_of_unmarked()
        return None if self.is_of_site(tag) and not is_stated_in_file else tag

    def _default_of_unmarked(self) -> str | None:
        """Return the stated default language if it is another one than the site's."""
        default = self.stated_default
        if default is None or primary(default) == primary(self.site_language):
            return None
        return default

    def is_chosen(self, tag: str | None) -> bool:
        """Whether the posts of a language are imported; posts without one have the default."""
        if self.only is None:
            return True
        return _is_range(self.only, tag or self.stated_default or self.site_language)


def _is_range(tag: str, other: str) -> bool:
    """Whether a tag is the other one, or its beginning (RFC 4647, 3.3.1)."""
    return f"{other.lower()}-".startswith(f"{tag.lower()}-")
