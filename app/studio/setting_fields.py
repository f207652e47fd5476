"""The form of the site's settings: the fields of each kind, as texts and as values. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from app.publishing.editing.site_values import parse_link
from app.publishing.errors import Invalid
from app.publishing.site_settings import BY_COLUMN, SETTINGS, Kind, SiteSetting

ON = "1"
MAX_DIGITS = 9

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "The site": ("title", "tagline", "description", "language", "time_zone"),
    "Looks": ("logo", "logo_dark", "icon", "social_image", "accent", "accent_dark"),
    "Lists and footer": ("posts_per_page", "footer_text", "footer_links", "profiles", "copyright"),
    "Crawlers and security": (
        *("content_signal", "content_usage", "security_contact", "security_expires"),
    ),
}
"""The settings under each heading; the others follow under `OTHERS`."""
OTHERS = "Texts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A field of the form: its setting, its text, and the error if its value can't be saved.

    `stored_text` is the saved text, if another user has changed it since the form was loaded.
    """

    setting: SiteSetting
    text: str
    error: str = ""
    stored_text: str | None = None

    @property
    def label(self) -> str:
        """Return the label: the name in words."""
        return self.setting.name.replace("_", " ").capitalize()


def group_fields(fields: Mapping[str, Field]) -> dict[str, list[Field]]:
    """Return the fields under their headings; each setting has one."""
    groups = {heading: [fields[name] for name in names] for heading, names in HEADINGS.items()}
    grouped_names = {name for names in HEADINGS.values() for name in names}
    others = [field for name, field in fields.items() if name not in grouped_names]
    return {**groups, OTHERS: others}


def editable_settings() -> list[SiteSetting]:
    """Return the settings with a field; the menu is arranged elsewhere."""
    return [setting for setting in SETTINGS if setting.kind is not Kind.SLUGS]


def to_text(setting: SiteSetting, value: Any) -> str:
    """Return the value as the text of its field."""
    if setting.kind is Kind.SWITCH:
        return ON if value else ""
    if setting.kind is Kind.LINKS:
        return "\n".join(f"{link['text']} = {link['url']}" for link in value)
    if setting.kind is Kind.URLS:
        return "\n".join(value)
    return "" if value is None else str(value)


def read_texts(form: Mapping[str, str]) -> dict[str, str]:
    """Return the text of each field; browsers send line ends as CR LF."""
    return {
        setting.name: form.get(setting.name, "").replace("\r\n", "\n")
        for setting in editable_settings()
    }


def read_columns(texts: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, Invalid]]:
    """Return the columns of the site, and the error of each field that can't be saved."""
    columns: dict[str, Any] = {}
    errors: dict[str, Invalid] = {}
    for column, setting in BY_COLUMN.items():
        try:
            value = read_value(setting, texts[setting.name])
            columns[column] = setting.check(setting.name, value)
        except Invalid as error:
            errors[setting.name] = error
    return columns, errors


def read_value(setting: SiteSetting, text: str) -> Any:
    """Return the value of a text; raises Invalid for a number that is none."""
    return _READERS.get(setting.kind, _keep)(setting.name, text)


def _keep(_name: str, text: str) -> str:
    return text


def _read_number(name: str, text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= MAX_DIGITS):
        raise Invalid(name, f"{text[:40]!r} is not a number such as 20.")
    return int(digits)


def _read_image(name: str, text: str) -> int | None:
    return _read_number(name, text) if text.strip() else None


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


_READERS: Mapping[Kind, Callable[[str, str], Any]] = {
    Kind.SWITCH: lambda _name, text: text == ON,
    Kind.NUMBER: _read_number,
    Kind.IMAGE: _read_image,
    Kind.LINKS: lambda _name, text: [parse_link(line) for line in _lines(text)],
    Kind.URLS: lambda _name, text: _lines(text),
}
