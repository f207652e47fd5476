"""Amazon CloudFront: `POST /2020-05-31/distribution/<distribution>/invalidation`, in XML.

| what | how |
|---|---|
| pages carry | a field that the distribution names as its tag header, `Cache-Tag`; 50 tags an object |
| by path | `/path?query` with a leading slash, at most 4000 characters; what RFC 1738 calls unsafe, `~` too, is percent-encoded and nothing else; a `*` at the end stands for anything and is allowed nowhere else |
| by tag | `#tag`, case-insensitive; nothing happens where the distribution names no tag header |
| everything | `/*` |
| in progress | 3000 paths and tags a distribution, 15 with a `*` |
| soft purge | none: what is purged is gone |
| who may | a signature (version 4) of a key with `cloudfront:CreateInvalidation`; to be checked, also `ListInvalidations` and `GetDistributionConfig` |
| cost | each path or tag beyond 1000 a month |
| second purge | after the longest time that a response takes from origin to edge; an invalidation itself takes seconds to minutes |

By path unless told otherwise: it works with every distribution. By tag finds other spellings too,
where the cache policy keeps the query string. What is said again with the same `CallerReference`
counts once; it is the same for each try of one purge where the targets have tickets.
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
"""How long to leave a distribution alone that has as much in progress as it takes."""

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
    """Invalidates at one distribution."""

    # 1000 at once and 25 a second stay below 3000 in progress while each takes a minute.
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
        """Forget these pages."""
        if not targets:
            return
        if self._distribution.purge_by == "tag":
            items = [f"#{tag}" for tag in unique_tags("cloudfront", targets)]
        else:
            items = list(dict.fromkeys(path for t in targets if (path := _path(t)) is not None))
            if not items:
                return  # readers chose these addresses; the edge keeps such pages briefly
        self._invalidate(items, _caller_reference(items, targets))

    def purge_everything(self) -> None:
        """Forget all pages of the distribution."""
        self._invalidate(["/*"], uuid4().hex)

    def _count_in_progress(self) -> int:
        """How many of the last hundred invalidations are still in progress."""
        response = self._signed_request("GET", "/invalidation", query={"MaxItems": "100"})
        return response.body.count(b"<Status>InProgress</Status>")

    def check(self) -> None:
        """List the invalidations, and look at the distribution where the key may do that."""
        self._count_in_progress()
        try:
            response = self._signed_request("GET", "/config")
        except PurgeError as error:
            if error.credentials_rejected:
                return  # the key may purge and not look: nothing more can be learnt
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
            raise self._api.unexpected_response_error(response, "no XML of its own")

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
            raise self._api.unexpected_response_error(response, "a page for people")
        return response

    def _error_for(self, response: ApiResponse) -> PurgeError:
        code, message = _xml_value(response, "Code"), _xml_value(response, "Message")
        if code == "TooManyInvalidationsInProgress":
            return self._api.purge_error(
                "it has 3000 paths or 15 wildcards in progress", after=RETRY_WHEN_FULL
            )
        if code in _THROTTLING_CODES:
            return self._api.purge_error("it takes no more calls for now")
        if code == "NoSuchDistribution":
            return self._settings_error(
                f"it knows no distribution {self._distribution.id} that is ours"
            )
        return self._api.status_error(response, message or code, hint=_ADVICE)

    def _settings_error(self, sentence: str) -> PurgeError:
        advice = "check EDGE_CLOUDFRONT_DISTRIBUTION and EDGE_CLOUDFRONT_BY"
        return self._api.purge_error(f"{sentence}: {advice}", credentials_rejected=True)


def _path(target: PurgeTarget) -> str | None:
    """The path to invalidate; None where it is longer than CloudFront takes.

    One path that CloudFront refuses would have the whole batch refused, and readers choose which
    paths there are. A `*` that a reader has sent is encoded, for it would be a wildcard. Responses
    to such requests get no more than EDGE_TTL_CAP (`http.uri.has_one_spelling`).
    """
    path = percent_encoded(target_of(target.url), PLAIN_1738)
    return path if len(path) <= LONGEST_EXACT else None


def _caller_reference(items: Sequence[str], targets: Sequence[PurgeTarget]) -> str:
    """The same for each try of one purge where that is known, and never seen before otherwise."""
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
    """The way to the API; each request is signed, and the secrets are never sent."""
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
    """The driver that the settings speak of."""
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
