"""A fake of CloudFront that checks signatures and refuses the same calls."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

from app.edge.cdn.cloudfront.sigv4 import AwsSigner, UnsignedRequest

from .server import FakeEdge, FakeRequest, FakeResponse

DISTRIBUTION = "E2EXAMPLE1"
KEY = "AKIDEXAMPLE"
SECRET = "cloudfront/s3cret+of-the-key"
SESSION = "cloudfront-s3ssion-token"
MOST_PATHS, MOST_WILDCARDS = 3000, 15
"""Paths, and paths with a wildcard, that may be in progress at a time."""

LONGEST = 4000
"""Characters that a path may have."""

SAFE_1738 = "$-_.+!'(),;/?:@&="
"""Beside letters and digits, what RFC 1738 does not call unsafe; of these `*` is a wildcard."""

_ITEM = re.compile(
    rf"/(?:[A-Za-z0-9{re.escape(SAFE_1738)}]|%[0-9A-Fa-f]{{2}})*\*?|#[!-+\--~]{{1,256}}"
)
_BASE = f"/2020-05-31/distribution/{DISTRIBUTION}"


@dataclass(slots=True, kw_only=True)
class Invalidation:
    """One accepted invalidation."""

    reference: str
    items: Sequence[str]
    at: datetime


class CloudFront(FakeEdge):
    """One distribution; it purges pages at once, but an invalidation is in progress for a minute."""

    def __init__(self) -> None:
        super().__init__()
        self.refill()

    def refill(self) -> None:
        """Have nothing in progress, a tag header, and a key that may do everything."""
        self.invalidations: list[Invalidation] = []
        self.tag_header = "Cache-Tag"
        self.names = ["www.example.org"]
        self.may = {"POST /invalidation", "GET /invalidation", "GET /config"}
        self.session = ""

    def status(self, of: Invalidation) -> str:
        """Return the status of an invalidation."""
        is_complete = self.clock() - of.at >= timedelta(minutes=1)
        return "Completed" if is_complete else "InProgress"

    def answer(self, request: FakeRequest) -> FakeResponse:
        """Check the signature and the permission, then carry out the call."""
        refusal = self._signature_error(request)
        if refusal:
            return refusal
        if not request.url.path.startswith(f"{_BASE}/"):
            return error_response(
                404, "NoSuchDistribution", "The specified distribution does not exist."
            )
        call = f"{request.method} {request.url.path.removeprefix(_BASE)}"
        if call not in self.may:
            return error_response(403, "AccessDenied", f"User is not authorized to perform {call}")
        if call == "GET /config":
            return self._config()
        return self._invalidate(request) if request.method == "POST" else self._list_invalidations()

    def _signature_error(self, request: FakeRequest) -> FakeResponse | None:
        authorization = request.headers["Authorization"] or ""
        names = re.search(r"SignedHeaders=([^,]*)", authorization)
        at = request.headers["X-Amz-Date"] or ""
        if not names or not at:
            return error_response(
                403, "MissingAuthenticationToken", "Request is missing a signature"
            )
        if f"Credential={KEY}/" not in authorization:
            return error_response(403, "InvalidClientTokenId", "The security token is invalid.")
        moment = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(moment - self.clock()) > timedelta(minutes=5):
            return error_response(
                403, "SignatureDoesNotMatch", f"Signature expired: {at} is too old"
            )
        own = {"host", "x-amz-date", "x-amz-security-token"}
        unsigned_request = UnsignedRequest(
            method=request.method,
            host=request.headers["Host"],
            path=request.url.path,
            query=request.query,
            headers={n: request.headers[n] for n in names[1].split(";") if n not in own},
            body=request.body,
        )
        signer = AwsSigner(
            key=KEY, secret=SECRET, session=self.session, region="us-east-1", service="cloudfront"
        )
        if signer.sign(unsigned_request, moment)["Authorization"] != authorization:
            return error_response(403, "SignatureDoesNotMatch", "The signature does not match.")
        return None

    def _config(self) -> FakeResponse:
        names = "".join(f"<CNAME>{name}</CNAME>" for name in self.names)
        header = f"<HeaderName>{self.tag_header}</HeaderName>" if self.tag_header else ""
        tags = f"<CacheTagConfig>{header}</CacheTagConfig>"
        return xml(
            200, f"<DistributionConfig><Aliases>{names}</Aliases>{tags}</DistributionConfig>"
        )

    def _list_invalidations(self) -> FakeResponse:
        rows = (f"<Status>{self.status(each)}</Status>" for each in self.invalidations)
        return xml(200, f"<InvalidationList>{''.join(rows)}</InvalidationList>")

    def _invalidate(self, request: FakeRequest) -> FakeResponse:
        text = request.body.decode()
        items = [unescape(item) for item in re.findall(r"<Path>([^<]*)</Path>", text)]
        reference = re.findall(r"<CallerReference>([^<]+)</CallerReference>", text)
        quantity = re.findall(r"<Quantity>(\d+)</Quantity>", text)
        if not items or not reference or request.headers["Content-Type"] != "text/xml":
            return error_response(400, "MissingBody", "This operation requires a body.")
        if quantity != [str(len(items))]:
            return error_response(400, "InconsistentQuantities", "Quantity and Items do not match.")
        if any(not _ITEM.fullmatch(item) or len(item) > LONGEST for item in items):
            message = "Your request contains one or more invalid invalidation paths."
            return error_response(400, "InvalidArgument", message)
        return self._accept(reference[0], items)

    def _accept(self, reference: str, items: list[str]) -> FakeResponse:
        for earlier in self.invalidations:
            if earlier.reference == reference and list(earlier.items) == items:
                return xml(
                    201, f"<Invalidation><Status>{self.status(earlier)}</Status></Invalidation>"
                )
            if earlier.reference == reference:
                return error_response(
                    400, "InvalidationBatchAlreadyExists", "The reference was used."
                )
        running = [each for each in self.invalidations if self.status(each) == "InProgress"]
        in_progress = [item for each in running for item in each.items] + items
        wildcards = [item for item in in_progress if item.endswith("*")]
        if len(in_progress) > MOST_PATHS or len(wildcards) > MOST_WILDCARDS:
            return error_response(
                400, "TooManyInvalidationsInProgress", "Too many are in progress."
            )
        invalidation = Invalidation(reference=reference, items=items, at=self.clock())
        self.invalidations.append(invalidation)
        self.forget([url for url in self.pages if any(self._matches(i, url) for i in items)])
        return xml(
            201, f"<Invalidation><Status>{self.status(invalidation)}</Status></Invalidation>"
        )

    def _matches(self, item: str, url: str) -> bool:
        if item.startswith("#"):
            return bool(self.tag_header) and url in self.urls_with_tags([item[1:]])
        # Only what AWS wants encoded is compared encoded: `/a%2A` is not the object `/a*`.
        encoded = quote(url, safe=f"{SAFE_1738}%*").replace("~", "%7E")
        return encoded.startswith(item[:-1]) if item.endswith("*") else encoded == item


def xml(status: int, body: str) -> FakeResponse:
    """Return a response with an XML body."""
    text = f'<?xml version="1.0"?>{body}'
    return FakeResponse(status=status, headers={"Content-Type": "text/xml"}, body=text.encode())


def error_response(status: int, code: str, message: str) -> FakeResponse:
    """An error as AWS writes it."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return xml(status, f"<ErrorResponse>{error}</ErrorResponse>")
