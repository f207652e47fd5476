"""Any edge that understands a purge of a URL, such as `PURGE /path`.

| what | how |
|---|---|
| by URL | `PURGE /path?query` to the edge, with the host name of the site as Host; one a request |
| method | EDGE_PURGE_METHOD |
| credentials | EDGE_PURGE_SECRET in the field EDGE_PURGE_HEADER, or an allowed address |
| success | any 2xx; 404 and 410 for a page: nothing was stored |
| everything | the path EDGE_PURGE_ALL, answered with 2xx; without it a purge of everything fails |
| soft purge | no common form |
| rate | none |
| second purge | after the longest render |

Pages are purged by URL, because such edges have nothing else in common. The edge must not store
variants or other spellings of a URL as separate objects.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from ..http.uri import PLAIN, percent_encoded, target_of
from ..http_client.deadline import deadline
from ..policy.policy import SettingError
from .api_client import REQUEST_TIMEOUT, ApiClient, ApiResponse, Credentials
from .base import CallLimits, PurgeError, PurgeTarget
from .validation import parse_base_url

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}"  # noqa: S105 - RFC 9110 section 5.6.2, no secret


_IN_TARGETS = PLAIN.replace("*", "")
"""A `*` that a reader has sent is encoded, because many edges treat it as a wildcard."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericPurgeOptions:
    """How an edge is purged; a purge of `purge_all_path` purges everything."""

    site: str
    method: str = "PURGE"
    purge_all_path: str = ""


class GenericDriver:
    """Purges URL by URL."""

    limits = CallLimits(batch=10, timeout=2 * REQUEST_TIMEOUT)
    purges_by_url = True

    def __init__(self, api: ApiClient, options: GenericPurgeOptions) -> None:
        self._api = api
        self._options = options

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages."""
        with deadline(self.limits.timeout):
            for target in targets:
                path = percent_encoded(target_of(target.url), _IN_TARGETS)
                # A reader may request the path that purges everything.
                if path != self._options.purge_all_path:
                    self._purge(path, site=target.site, allow_missing=True)

    def purge_everything(self) -> None:
        """Purge all pages, if there is a path for that."""
        if not self._options.purge_all_path:
            raise self._api.purge_error(
                "everything can't be purged at once: set EDGE_PURGE_ALL to the path that purges "
                "everything, or purge the edge by hand",
            )
        self._purge(self._options.purge_all_path, allow_missing=False)

    def _purge(self, path: str, *, site: str = "", allow_missing: bool) -> None:
        # The site of the page comes first: this process may be configured for another site.
        host = {"Host": urlsplit(site or self._options.site).netloc}
        response = self._api.request(self._options.method, path, headers=host)
        is_missing = allow_missing and response.status in {404, 410}
        if is_missing or (200 <= response.status < 300 and not response.is_html):  # noqa: PLR2004 - RFC 9110
            return
        raise self._error_for(response)

    def _error_for(self, response: ApiResponse) -> PurgeError:
        if response.is_html and response.status < 300:  # noqa: PLR2004 - RFC 9110
            return self._api.unexpected_response_error(response, "an HTML page")
        if response.status in {404, 405, 501}:
            return self._api.purge_error(
                f"the edge does not support {self._options.method} ({response.status}): "
                "check EDGE_PURGE_URL, EDGE_PURGE_METHOD and EDGE_PURGE_ALL",
            )
        return self._api.status_error(
            response, hint="check EDGE_PURGE_SECRET and EDGE_PURGE_HEADER"
        )


def make_client(
    url: str,
    credentials: Credentials,
    *,
    client: httpx.Client | None = None,
    timeout: timedelta = REQUEST_TIMEOUT,
) -> ApiClient:
    """Return the API client."""
    name = f"the edge at {urlsplit(url).netloc}"
    return ApiClient(name, url, credentials=credentials, client=client, timeout=timeout)


def make_driver(
    values: Mapping[str, str], *, site: str, client: httpx.Client | None
) -> GenericDriver:
    """Build the driver from its settings."""
    for key in ("EDGE_PURGE_METHOD", "EDGE_PURGE_HEADER"):
        if not re.fullmatch(_TOKEN, values[key]):
            raise SettingError(
                "{} is {value!r}, which is no valid name: set one word, such as PURGE.",
                key,
                value=values[key],
            )
    purge_all_path = values["EDGE_PURGE_ALL"]
    if purge_all_path and not re.fullmatch(r"/[\x21-\x7e]*", purge_all_path):
        raise SettingError(
            "{} is {path!r}, which is no path: begin it with a slash.",
            "EDGE_PURGE_ALL",
            path=purge_all_path,
        )
    secret = values["EDGE_PURGE_SECRET"]
    parts = secret.split(" ", 1)
    credentials = Credentials(
        headers={values["EDGE_PURGE_HEADER"]: secret} if secret else {},
        secrets=(secret, parts[-1]) if secret else (),
    )
    return GenericDriver(
        make_client(
            parse_base_url("EDGE_PURGE_URL", values["EDGE_PURGE_URL"]), credentials, client=client
        ),
        GenericPurgeOptions(
            site=site, method=values["EDGE_PURGE_METHOD"].upper(), purge_all_path=purge_all_path
        ),
    )
