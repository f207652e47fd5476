"""HTTP client for the purge API of one edge.

It follows no redirects, verifies certificates, limits the size of a response, and describes each
failure in a sentence that contains no secret.
"""

from __future__ import annotations

import json
import re
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpx

from ..http_client.deadline import DeadlineTransport, deadline
from ..http_client.errors import NETWORK_ERRORS, describe_network_error
from .base import PurgeError
from .retry_after import parse_retry_after

MAX_BODY_BYTES = 256 * 1024
"""Maximum size of a response body; the responses of all edges are far smaller."""

REQUEST_TIMEOUT = timedelta(seconds=10)
"""Maximum time of one request, from the DNS lookup to the end of the body."""

_DEFAULT_HEADERS = {"Accept-Encoding": "identity", "User-Agent": "edge"}
_MAX_MESSAGE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiResponse:
    """The response of an edge; never a redirect."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def is_html(self) -> bool:
        """Return whether the body is an HTML page."""
        kind = self.headers.get("Content-Type", "").lower()
        begins = self.body.lstrip()[:9].lower()
        return "html" in kind or begins.startswith((b"<!doctype", b"<html"))

    def json(self) -> dict[str, Any] | None:
        """Return the JSON object of the body, or None."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None

    def text_field(self, name: str) -> str:
        """Return a field of the JSON object as text; empty if there is none."""
        return str((self.json() or {}).get(name) or "")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Credentials:
    """Header fields of every request, and the secrets in them that no message may contain."""

    headers: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()


class ApiClient:
    """Sends requests to the API of one edge; it opens its own HTTP client unless one is given."""

    def __init__(
        self,
        edge_name: str,
        base: str,
        *,
        credentials: Credentials | None = None,
        client: httpx.Client | None = None,
        timeout: timedelta = REQUEST_TIMEOUT,
    ) -> None:
        self.edge_name = edge_name
        self._base = base.rstrip("/")
        self._credentials = credentials or Credentials()
        self._timeout = timeout
        self._client = client or _open_http_client(self)

    @property
    def host(self) -> str:
        """The host (and port) of the API, as in the Host header."""
        return httpx.URL(self._base).netloc.decode()

    def request(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> ApiResponse:
        """Send one request and return its response; raises PurgeError if there is none."""
        try:
            with deadline(self._timeout):
                response = self._send(method, path, headers or {}, content)
        except NETWORK_ERRORS as error:
            raise self.purge_error(describe_network_error(error, self._timeout)) from None
        except httpx.InvalidURL:
            raise self.purge_error(
                f"{path[:_MAX_MESSAGE]} is not a valid URL", retryable=False
            ) from None
        if 300 <= response.status < 400:  # noqa: PLR2004 - RFC 9110 section 15.4
            raise self.purge_error(
                f"unexpected redirect ({response.status}): "
                "a proxy or portal answers instead of the API, or the URL is wrong",
            )
        return response

    def send_json(
        self,
        method: str,
        path: str,
        payload: Mapping[str, Any] | None = None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> ApiResponse:
        """Send a request with a JSON body, or without a body."""
        all_headers = {"Accept": "application/json", **(headers or {})}
        if payload is None:
            return self.request(method, path, headers=all_headers)
        all_headers["Content-Type"] = "application/json"
        return self.request(method, path, headers=all_headers, content=json.dumps(payload).encode())

    def require_json(self, response: ApiResponse) -> dict[str, Any]:
        """Return the JSON object of a response; raises PurgeError if there is none."""
        document = response.json()
        if document is None:
            raise self.unexpected_response_error(
                response, "an HTML page" if response.is_html else "something that is not JSON"
            )
        return document

    def unexpected_response_error(self, response: ApiResponse, body_kind: str) -> PurgeError:
        """Return the error for a response that the API of the edge never sends."""
        return self.purge_error(
            f"it answered {response.status} with {body_kind}: "
            "a proxy or portal answers instead of the API, or the URL is wrong",
        )

    def status_error(
        self, response: ApiResponse, vendor_message: str = "", *, hint: str = ""
    ) -> PurgeError:
        """The error that a status of 400 or more means; `said` is the edge's own word for it."""
        status = response.status
        detail = f": {self.redact(vendor_message)}" if vendor_message else ""
        if status in {401, 403}:
            advice = f"; {hint}" if hint else ""
            sentence = f"the credentials were rejected ({status}){detail}{advice}"
            return self.purge_error(sentence, credentials_rejected=True)
        if status in {408, 425, 429}:
            sentence = f"the rate limit is reached ({status}){detail}"
            return self.purge_error(sentence, after=parse_retry_after(response.headers))
        if status >= 500:  # noqa: PLR2004 - RFC 9110 section 15.6
            return self.purge_error(
                f"the API failed ({status}){detail}", after=parse_retry_after(response.headers)
            )
        return self.purge_error(f"the API refused the call ({status}){detail}", retryable=False)

    def purge_error(
        self,
        sentence: str,
        *,
        retryable: bool = True,
        after: timedelta | None = None,
        credentials_rejected: bool = False,
    ) -> PurgeError:
        """Return a PurgeError whose message begins with the name of the edge."""
        return PurgeError(
            f"{self.edge_name}: {sentence}",
            retryable=retryable,
            retry_after=after,
            credentials_rejected=credentials_rejected,
        )

    def redact(self, text: str) -> str:
        """Return text of the edge as one short line without secrets."""
        for secret in self._credentials.secrets:
            text = text.replace(secret, "…")
        line = re.sub(r"[\x00-\x20\x7f-\x9f]+", " ", text).strip()
        return line if len(line) <= _MAX_MESSAGE else f"{line[:_MAX_MESSAGE]}…"

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], content: bytes | None
    ) -> ApiResponse:
        request = self._client.build_request(
            method,
            self._base + path,
            headers={**_DEFAULT_HEADERS, **self._credentials.headers, **headers},
            content=content,
            timeout=self._timeout.total_seconds(),
        )
        response = self._client.send(request, stream=True, follow_redirects=False, auth=None)
        try:
            body = b"".join(self._read_bounded(response))
        finally:
            response.close()
        return ApiResponse(status=response.status_code, headers=response.headers, body=body)

    def _read_bounded(self, response: httpx.Response) -> Iterator[bytes]:
        length = 0
        already_read = response.is_stream_consumed  # by the transport of the caller's own client
        for chunk in [response.content] if already_read else response.iter_raw():
            length += len(chunk)
            if length > MAX_BODY_BYTES:
                raise self.purge_error(
                    f"the response ({response.status_code}) is larger than {MAX_BODY_BYTES} bytes"
                )
            yield chunk


def _open_http_client(owner: ApiClient) -> httpx.Client:
    """Return a client that is closed with its owner; it stores no cookies and uses no proxy."""
    empty_jar = CookieJar(policy=DefaultCookiePolicy(allowed_domains=()))
    client = httpx.Client(transport=DeadlineTransport(), trust_env=False, cookies=empty_jar)
    weakref.finalize(owner, client.close)
    return client
