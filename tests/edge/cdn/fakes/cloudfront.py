"""A CloudFront that checks signatures and refuses what CloudFront refuses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import quote

from app.edge.cdn.cloudfront.sigv4 import AwsSigner, UnsignedRequest

from .server import Asked, Edge, Reply

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
    """What was asked for, and how far it is."""

    reference: str
    items: Sequence[str]
    at: datetime


class CloudFront(Edge):
    """One distribution; pages are forgotten at once, and what was asked is in progress a minute."""

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
        """How far an invalidation is."""
        done = self.clock() - of.at >= timedelta(minutes=1)
        return "Completed" if done else "InProgress"

    def answer(self, asked: Asked) -> Reply:
        """Check who asks, and do it."""
        refusal = self._unsigned(asked)
        if refusal:
            return refusal
        if not asked.url.path.startswith(f"{_BASE}/"):
            return refused(404, "NoSuchDistribution", "The specified distribution does not exist.")
        call = f"{asked.method} {asked.url.path.removeprefix(_BASE)}"
        if call not in self.may:
            return refused(403, "AccessDenied", f"User is not authorized to perform {call}")
        if call == "GET /config":
            return self._config()
        return self._invalidate(asked) if asked.method == "POST" else self._listed()

    def _unsigned(self, asked: Asked) -> Reply | None:
        said = asked.headers["Authorization"] or ""
        names = re.search(r"SignedHeaders=([^,]*)", said)
        at = asked.headers["X-Amz-Date"] or ""
        if not names or not at:
            return refused(403, "MissingAuthenticationToken", "Request is missing a signature")
        if f"Credential={KEY}/" not in said:
            return refused(403, "InvalidClientTokenId", "The security token is invalid.")
        moment = datetime.strptime(at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(moment - self.clock()) > timedelta(minutes=5):
            return refused(403, "SignatureDoesNotMatch", f"Signature expired: {at} is too old")
        own = {"host", "x-amz-date", "x-amz-security-token"}
        request = UnsignedRequest(
            method=asked.method,
            host=asked.headers["Host"],
            path=asked.url.path,
            query=asked.query,
            headers={n: asked.headers[n] for n in names[1].split(";") if n not in own},
            body=asked.body,
        )
        signer = AwsSigner(
            key=KEY, secret=SECRET, session=self.session, region="us-east-1", service="cloudfront"
        )
        if signer.sign(request, moment)["Authorization"] != said:
            return refused(403, "SignatureDoesNotMatch", "The signature does not match.")
        return None

    def _config(self) -> Reply:
        names = "".join(f"<CNAME>{name}</CNAME>" for name in self.names)
        header = f"<HeaderName>{self.tag_header}</HeaderName>" if self.tag_header else ""
        tags = f"<CacheTagConfig>{header}</CacheTagConfig>"
        return xml(
            200, f"<DistributionConfig><Aliases>{names}</Aliases>{tags}</DistributionConfig>"
        )

    def _listed(self) -> Reply:
        rows = (f"<Status>{self.status(each)}</Status>" for each in self.invalidations)
        return xml(200, f"<InvalidationList>{''.join(rows)}</InvalidationList>")

    def _invalidate(self, asked: Asked) -> Reply:
        text = asked.body.decode()
        items = [unescape(item) for item in re.findall(r"<Path>([^<]*)</Path>", text)]
        reference = re.findall(r"<CallerReference>([^<]+)</CallerReference>", text)
        quantity = re.findall(r"<Quantity>(\d+)</Quantity>", text)
        if not items or not reference or asked.headers["Content-Type"] != "text/xml":
            return refused(400, "MissingBody", "This operation requires a body.")
        if quantity != [str(len(items))]:
            return refused(400, "InconsistentQuantities", "Quantity and Items do not match.")
        if any(not _ITEM.fullmatch(item) or len(item) > LONGEST for item in items):
            message = "Your request contains one or more invalid invalidation paths."
            return refused(400, "InvalidArgument", message)
        return self._accept(reference[0], items)

    def _accept(self, reference: str, items: list[str]) -> Reply:
        for known in self.invalidations:
            if known.reference == reference and list(known.items) == items:
                return xml(
                    201, f"<Invalidation><Status>{self.status(known)}</Status></Invalidation>"
                )
            if known.reference == reference:
                return refused(400, "InvalidationBatchAlreadyExists", "The reference was used.")
        running = [each for each in self.invalidations if self.status(each) == "InProgress"]
        in_progress = [item for each in running for item in each.items] + items
        wildcards = [item for item in in_progress if item.endswith("*")]
        if len(in_progress) > MOST_PATHS or len(wildcards) > MOST_WILDCARDS:
            return refused(400, "TooManyInvalidationsInProgress", "Too many are in progress.")
        found = Invalidation(reference=reference, items=items, at=self.clock())
        self.invalidations.append(found)
        self.forget([url for url in self.pages if any(self._meant(i, url) for i in items)])
        return xml(201, f"<Invalidation><Status>{self.status(found)}</Status></Invalidation>")

    def _meant(self, item: str, url: str) -> bool:
        if item.startswith("#"):
            return bool(self.tag_header) and url in self.tagged([item[1:]])
        # Only what AWS wants encoded is compared encoded: `/a%2A` is not the object `/a*`.
        encoded = quote(url, safe=f"{SAFE_1738}%*").replace("~", "%7E")
        return encoded.startswith(item[:-1]) if item.endswith("*") else encoded == item


def xml(status: int, body: str) -> Reply:
    """An answer in XML."""
    text = f'<?xml version="1.0"?>{body}'
    return Reply(status=status, headers={"Content-Type": "text/xml"}, body=text.encode())


def refused(status: int, code: str, message: str) -> Reply:
    """An error as AWS writes it."""
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    return xml(status, f"<ErrorResponse>{error}</ErrorResponse>")
