"""How the values of site settings are read from `site.toml` and shown by commands. Pure."""

from __future__ import annotations

from typing import Any

from app.publishing.site_settings import BY_NAME, Kind, SiteSetting


def read_value(name: str, value: Any) -> Any:
    """Return the value of a setting from `site.toml`; raises ValueError if it has another type.

    An image stays the name of its file, and a link may be written as `"text = URL"`.
    """
    setting = BY_NAME[name]
    if setting.kind is Kind.SWITCH:
        return _expect(name, value, bool, "true or false is")
    if setting.kind is Kind.NUMBER:
        if isinstance(value, bool):
            raise ValueError(f"{name}: a number is expected here, not {value!r}")
        return _expect(name, value, int, "a number is")
    if setting.kind is Kind.LINKS:
        return [_link(name, one) for one in _expect(name, value, list, "a list of links is")]
    if setting.kind in {Kind.URLS, Kind.SLUGS}:
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise ValueError(f"{name}: a list of texts is expected here")
        return value
    return _expect(name, value, str, "a text is")


def _expect(name: str, value: Any, kind: type, words: str) -> Any:
    if not isinstance(value, kind):
        raise ValueError(f"{name}: {words} expected here, not {value!r}")  # noqa: TRY004 - a person wrote it
    return value


def _link(name: str, value: Any) -> dict[str, str]:
    if isinstance(value, str):
        return parse_link(value)
    if isinstance(value, dict) and all(isinstance(part, str) for part in value.values()):
        return {str(key): part for key, part in value.items()}
    raise ValueError(f'{name}: a link is written as {{ text = "Imprint", url = "/imprint" }}')


def parse_link(text: str) -> dict[str, str]:
    """Return the link that is written as `text = URL`; an incomplete one is refused when saved.

    The text may contain ` = `: a URL has no spaces, so the last one separates the two.
    """
    label, separator, url = text.rpartition(" = ")
    if not separator:
        label, _, url = text.partition("=")
    return {"text": label.strip(), "url": url.strip()}


def shown_value(setting: SiteSetting, value: Any) -> str:
    """Return a value as a command prints it, on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if setting.kind is Kind.LINKS:
        return ", ".join(f"{link['text']} = {link['url']}" for link in value)
    if isinstance(value, (list, tuple)):
        return ", ".join(value)
    return "" if value is None else " ".join(str(value).split())
