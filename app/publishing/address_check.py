"""Check whether old addresses answer: at once, or after one redirect.

Each address is requested from the application itself; nothing leaves the process.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import current_app
from werkzeug.test import Client

from app.publishing.importing.address_list import path_of
from app.publishing.paths import normal
from app.publishing.queries import redirects


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressCheck:
    """How many old addresses answer in one step; `failures` holds the others with a reason."""

    total: int
    failures: tuple[tuple[str, str], ...]

    @property
    def answering(self) -> int:
        """The number of addresses that answer."""
        return self.total - len(self.failures)

    def __str__(self) -> str:
        return f"{self.answering:,} of {self.total:,} old addresses answer"

    def to_json(self) -> dict[str, object]:
        """The check as JSON values."""
        failures = [{"address": address, "reason": reason} for address, reason in self.failures]
        return {"total": self.total, "answering": self.answering, "failures": failures}


def check_addresses(addresses: Iterable[str]) -> AddressCheck:
    """Request each path of this site, and follow one redirect."""
    client = current_app.test_client(use_cookies=False)
    results = [(address, _failure(client, address)) for address in addresses]
    failures = tuple((address, reason) for address, reason in results if reason)
    return AddressCheck(total=len(results), failures=failures)


def _failure(client: Client, address: str) -> str:
    """Say why an address does not answer, or return an empty text."""
    status, location = _request(client, address)
    if status == HTTPStatus.OK:
        return ""
    if not location:
        return f"answers with {status}"
    target = path_of(location)
    if not target:
        return f"leads to {location}"
    if target == "/" and _has_unknown_query(address):
        return "has a query that leads nowhere, so it shows the front page"
    status, onward = _request(client, target)
    if onward:
        return f"needs more than one redirect: {target}, {onward}"
    return "" if status == HTTPStatus.OK else f"leads to {target}, which answers with {status}"


def _has_unknown_query(address: str) -> bool:
    """Tell whether an address differs from the front page by a query that has no redirect."""
    path, _, query = address.partition("?")
    try:
        return "?" in normal(address) and redirects.target_of_query(path, query) is None
    except ValueError:
        return False


def _request(client: Client, address: str) -> tuple[int, str]:
    site = urlsplit(current_app.config["SITE_URL"])
    base = f"{site.scheme or 'http'}://{site.netloc or 'localhost'}"
    response = client.head(address, base_url=base)
    status = response.status_code
    is_redirect = status in {301, 302, 303, 307, 308}
    location = response.headers.get("Location", "") if is_redirect else ""
    response.close()
    return status, location
