"""Amazon CloudFront: `POST /2020-05-31/distribution/<distribution>/invalidation`, in XML.

| what | how |
|---|---|
| tag header | the header that the distribution names, `Cache-Tag`; 50 tags an object |
| by path | `/path?query` with a leading slash, at most 4000 characters; characters that RFC 1738 calls unsafe and `~` are percent-encoded, no others; a `*` is a wildcard, allowed only at the end |
| by tag | `#tag`, case-insensitive; without effect if the distribution names no tag header |
| everything | `/*` |
| in progress | 3000 paths and tags a distribution, 15 with a `*` |
| soft purge | none: every purge is hard |
| credentials | a signature (version 4) of a key with `cloudfront:CreateInvalidation`; for the check also `ListInvalidations` and `GetDistributionConfig` |
| cost | each path or tag beyond 1000 a month |
| second purge | after the longest time that a response takes from origin to edge; an invalidation itself takes seconds to minutes |

By path is the default: it works with every distribution. By tag also purges copies under other
URLs of the page, if the cache policy keeps the query string in the key. CloudFront ignores a
repeated `CallerReference`, so all attempts of one purge send the same one, if the targets have
idempotency keys.
"""  # noqa: E501 - a table

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit
from uuid import uuid4
from xml.sax.saxutils import escape

import httpx

from ...http.uri import LONGEST_EXACT, PLAIN_1738, percent_encoded, target_of
from ..api_client import REQUEST_TIMEOUT, ApiClient, ApiResponse, Credentials
from ..base import BRIEF, CallLimits, PurgeError, PurgeTarget
from ..page_tags import unique_tags
from ..validation import require_choice, require_identifier
from .sigv4 import AwsSigner, UnsignedRequest, query_string

API = "https://cloudfront.amazonaws.com"
VERSION = "2020-05-31"
PURGE_MODES = ("path", "tag")
RETRY_WHEN_FULL = timedelta(minutes=1)
"""Time to wait if the distribution has the maximum number of invalidations in progress."""

_ADVICE = "check the AWS access key, what it may do, and the clock of this machine"
_THROTTLING_CODES = {
    "Throttling",
    "ThrottlingException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DistributionSettings:
    """One distribution, the site that it serves, and how it is purged."""

    id: str
    site: str
    purge_by: str = "path"


class CloudFrontDriver:
    """Purges one distribution."""

    # 1000 at once and 25 a second stay below 3000 in progress if each takes a minute.
    limits = CallLimits(batch=250, per_second=0.1, burst=4, ignored_lifetime=BRIEF)

    def __init__(
        self,
        api: ApiClient,
        signer: AwsSigner,
        distribution: DistributionSettings,
        *,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api = api
        self._signer = signer
        self._distribution = distribution
        self._clock = clock
        self.purges_by_url = distribution.purge_by != "tag"
        self.purges_by_tag = not self.purges_by_url

    def purge(self, targets: Sequence[PurgeTarget]) -> None:
        """Purge these pages."""
        if not targets:
            return
        if self._distribution.purge_by == "tag":
            items = [f"#{tag}" for tag in unique_tags("cloudfront", targets)]
        else:
            items = list(dict.fromkeys(path for t in targets if (path := _path(t)) is not None))
            if not items:
                return  # readers chose these URLs; the edge stores such pages only briefly
        self._invalidate(items, _caller_reference(items, targets))

    def purge_everything(self) -> None:
        """Purge all pages of the distribution."""
        self._invalidate(["/*"], uuid4().hex)

    def _count_in_progress(self) -> int:
        """Return how many of the last hundred invalidations are still in progress."""
        response = self._signed_request("GET", "/invalidation", query={"MaxItems": "100"})
        return response.body.count(b"<Status>InProgress</Status>")

    def check(self) -> None:
        """List the invalidations, and check the distribution if the key may read it."""
        self._count_in_progress()
        try:
            response = self._signed_request("GET", "/config")
        except PurgeError as error:
            if error.credentials_rejected:
                return  # the key may purge but not read: nothing more can be checked
            raise
        text = response.body.decode(errors="replace")
        host = urlsplit(self._distribution.site).hostname
        names = re.findall(r"<CNAME>([^<]*)</CNAME>", text)
        if names and host not in names:
            host_names = self._api.redact(", ".join(names))
            raise self._settings_error(
                f"the distribution serves {host_names}, and the site is at {host}"
            )
        header = re.search(r"<CacheTagConfig>.*?<HeaderName>([^<]*)</HeaderName>", text, re.DOTALL)
        if self._distribution.purge_by == "tag" and (
            not header or header[1].lower() != "cache-tag"
        ):
            raise self._settings_error("the distribution does not name Cache-Tag as its tag header")

    def _invalidate(self, items: Sequence[str], reference: str) -> None:
        paths = "".join(f"<Path>{escape(item)}</Path>" for item in items)
        body = (
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<InvalidationBatch xmlns="http://cloudfront.amazonaws.com/doc/{VERSION}/">'
            f"<CallerReference>{reference}</CallerReference>"
            f"<Paths><Items>{paths}</Items><Quantity>{len(items)}</Quantity></Paths>"
            "</InvalidationBatch>"
        ).encode()
        response = self._signed_request("POST", "/invalidation", body=body)
        if b"<Invalidation" not in response.body:
            raise self._api.unexpected_response_error(
                response, "something that is not XML of CloudFront"
            )

    def _signed_request(
        self, method: str, path: str, *, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> ApiResponse:
        path = f"/{VERSION}/distribution/{self._distribution.id}{path}"
        headers = {"Content-Type": "text/xml"} if body else {}
        request = UnsignedRequest(
            method=method,
            host=self._api.host,
            path=path,
            query=query or {},
            headers=headers,
            body=body,
        )
        signed = self._signer.sign(request, self._clock())
        target = f"{path}?{query_string(query)}" if query else path
        response = self._api.request(
            method, target, headers={**headers, **signed}, content=body or None
        )
        if response.status >= 400:  # noqa: PLR2004 - RFC 9110 section 15.5
            raise self._error_for(response)
        if response.is_html:
            raise self._api.unexpected_response_error(response, "an HTML page")
        return response

    def _error_for(self, response: ApiResponse) -> PurgeError:
        code, message = _xml_value(response, "Code"), _xml_value(response, "Message")
        if code == "TooManyInvalidationsInProgress":
            return self._api.purge_error(
                "3000 paths or 15 wildcards are in progress", after=RETRY_WHEN_FULL
            )
        if code in _THROTTLING_CODES:
            return self._api.purge_error("the rate limit is reached")
        if code == "NoSuchDistribution":
            return self._settings_error(f"the account has no distribution {self._distribution.id}")
        return self._api.status_error(response, message or code, hint=_ADVICE)

    def _settings_error(self, sentence: str) -> PurgeError:
        advice = "check EDGE_CLOUDFRONT_DISTRIBUTION and EDGE_CLOUDFRONT_BY"
        return self._api.purge_error(f"{sentence}: {advice}", credentials_rejected=True)


def _path(target: PurgeTarget) -> str | None:
    """Return the path to invalidate; None if it is longer than CloudFront accepts.

    Readers choose the paths, and CloudFront refuses a whole batch because of one invalid path. A
    `*` is encoded, because it would be a wildcard. Responses to such requests get at most
    EDGE_TTL_CAP (`http.uri.has_one_spelling`).
    """
    path = percent_encoded(target_of(target.url), PLAIN_1738)
    return path if len(path) <= LONGEST_EXACT else None


def _caller_reference(items: Sequence[str], targets: Sequence[PurgeTarget]) -> str:
    """Return the same value for all attempts of one purge; a random one without the keys for it."""
    idempotency_keys = [target.idempotency_key for target in targets]
    if not all(idempotency_keys):
        return uuid4().hex
    hash_input = "\n".join([*items, *idempotency_keys])
    return hashlib.sha256(hash_input.encode()).hexdigest()[:32]


def _xml_value(response: ApiResponse, name: str) -> str:
    text = response.body[:4096].decode(errors="replace")
    match = re.search(rf"<{name}>([^<]*)</{name}>", text)
    return match[1] if match else ""


def make_client(
    secrets: tuple[str, ...],
    *,
    api: str = API,
    client: httpx.Client | None = None,
    timeout: timedelta = REQUEST_TIMEOUT,
) -> ApiClient:
    """Return the API client; each request is signed, and the secrets are never sent."""
    return ApiClient(
        "cloudfront",
        api,
        credentials=Credentials(secrets=tuple(secret for secret in secrets if secret)),
        client=client,
        timeout=timeout,
    )


def make_driver(
    values: Mapping[str, str], *, site: str, client: httpx.Client | None
) -> CloudFrontDriver:
    """Build the driver from its settings."""
    distribution = DistributionSettings(
        id=require_identifier(
            values, "EDGE_CLOUDFRONT_DISTRIBUTION", r"[0-9A-Z]{1,64}", "capitals and digits"
        ),
        site=site,
        purge_by=require_choice(values, "EDGE_CLOUDFRONT_BY", PURGE_MODES),
    )
    key, secret = values["EDGE_CLOUDFRONT_KEY"], values["EDGE_CLOUDFRONT_SECRET"]
    session = values["EDGE_CLOUDFRONT_SESSION"]
    signer = AwsSigner(
        key=key, secret=secret, session=session, region="us-east-1", service="cloudfront"
    )
    api = make_client((secret, session, key), client=client)
    return CloudFrontDriver(api, signer, distribution)
