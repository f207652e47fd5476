"""Options: how a gateway is to behave; the defaults are those of a shared cache by the book."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from ..http import cache_key
from ..http.cache_key import TRACKERS
from .capped_headers import FIELD_LOWER

if TYPE_CHECKING:
    from collections.abc import Callable

#: Response fields for caches' eyes only.
INTERNAL: Final = frozenset(
    {
        "broadsheet-cache-control",
        FIELD_LOWER,
        "cache-tag",
        "cdn-tag",
        "edge-cache-tag",
        "surrogate-control",
        "surrogate-key",
        "xkey",
    }
)
#: Request fields in which a stranger could tell the origin another URL, host, method or client,
#: or ask for another page in a way that no Vary tells of.
WITHHELD: Final = frozenset(
    {
        "cf-connecting-ip",
        "cf-connecting-ipv6",
        "cf-pseudo-ipv4",
        "cf-visitor",
        "client-ip",
        "fastly-client-ip",
        "fastly-ff",
        "fastly-ssl",
        "forwarded",
        "forwarded-for",
        "front-end-https",
        "proxy",
        "proxy-client-ip",
        "proxy-host",
        "remote-addr",
        "remote-user",
        "request-range",
        "surrogate-capability",
        "true-client-ip",
        "wl-proxy-client-ip",
        "x-appengine-user-ip",
        "x-arr-ssl",
        "x-azure-clientip",
        "x-azure-socketip",
        "x-base-url",
        "x-client-ip",
        "x-cluster-client-ip",
        "x-envoy-external-address",
        "x-envoy-original-path",
        "x-forwarded",
        "x-forwarded-by",
        "x-forwarded-client-cert",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-https",
        "x-forwarded-method",
        "x-forwarded-path",
        "x-forwarded-port",
        "x-forwarded-prefix",
        "x-forwarded-proto",
        "x-forwarded-protocol",
        "x-forwarded-scheme",
        "x-forwarded-server",
        "x-forwarded-ssl",
        "x-forwarded-uri",
        "x-forwarded-url",
        "x-forwarded-user",
        "x-host",
        "x-http-host-override",
        "x-http-method",
        "x-http-method-override",
        "x-http-path-override",
        "x-method-override",
        "x-original-for",
        "x-original-forwarded-for",
        "x-original-host",
        "x-original-method",
        "x-original-path",
        "x-original-proto",
        "x-original-remote-addr",
        "x-original-uri",
        "x-original-url",
        "x-path-info",
        "x-proxy-url",
        "x-proxyuser-ip",
        "x-real-host",
        "x-real-ip",
        "x-remote-addr",
        "x-remote-ip",
        "x-remote-user",
        "x-request-uri",
        "x-requested-host",
        "x-rewrite-path",
        "x-rewrite-uri",
        "x-rewrite-url",
        "x-script-name",
        "x-scheme",
        "x-url-scheme",
    }
)
#: RFC 9111 section 5.2.1 and RFC 5861.
REQUEST_DIRECTIVES: Final = frozenset(
    {
        "max-age",
        "max-stale",
        "min-fresh",
        "no-cache",
        "no-store",
        "only-if-cached",
        "stale-if-error",
    }
)
#: Response fields that tell of one request, not of the page.
PER_REQUEST: Final = frozenset({"server-timing", "x-correlation-id", "x-request-id", "x-runtime"})
_MEBI: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What can be chosen; names of header fields are in lower case throughout."""

    #: This cache's name in Cache-Status.
    name: str = "broadsheet"
    #: Response fields obeyed before Cache-Control, in this order (RFC 9213).
    targeted_fields: tuple[str, ...] = ("broadsheet-cache-control", "cdn-cache-control")
    #: Response fields kept but never shown to a reader.
    internal_fields: frozenset[str] = INTERNAL
    #: Response fields that are shown to whom they were sent, but not kept.
    per_request_fields: frozenset[str] = frozenset()
    #: Request directives that are obeyed; an origin shield ignores a reader's no-cache.
    obeyed_request_directives: frozenset[str] = REQUEST_DIRECTIVES
    #: Query parameters (`*` for any ending) that are neither keyed nor shown to the origin.
    ignored_parameters: tuple[str, ...] = ()
    #: Request fields that the origin never sees in a fetch that may be shared.
    withheld_fields: frozenset[str] = WITHHELD
    #: If given, the only request fields that the origin sees in such a fetch.
    allowed_fields: frozenset[str] | None = None
    #: If given, `https://host` that every request is taken to be for, whatever its Host says.
    site: str | None = None
    #: The SCRIPT_NAME the application is mounted at; requests with another one are passed on.
    mount: str = ""
    #: Tells of a path that it is none of the gateway's business.
    bypasses: Callable[[str], bool] | None = None
    #: Keep brotli and gzip variants, made once, and ask the origin for identity.
    compress: bool = False
    #: Tells of a path that its application has codings of its own, better ones than ours: each is
    #: kept as it came, for the readers who would choose it.
    is_encoded_by_origin: Callable[[str], bool] | None = None
    #: Ask for the whole page where a reader asks for its head, so that it can be kept.
    get_on_head: bool = False
    #: Bodies of fewer bytes are not worth compressing.
    min_compress_size: int = 512
    #: Bodies of more bytes are passed on without being kept.
    max_body_size: int = 8 * _MEBI
    #: Keep Set-Cookie like any other field. Never for pages of more than one person.
    store_cookies: bool = False
    #: The part of the time since Last-Modified for which a silent origin is trusted; 0 is never.
    heuristic_fraction: float = 0
    #: A fresh page whose first target says `purged` is as new as a fresh answer: where caches
    #: behind the gateway may keep it for a while, its Age is 0 and its Date is now.
    reset_age: bool = False
    #: Says how far caches behind the gateway can't be purged just now: the word under which a
    #: response tells what to say to them instead (`doubt`), or nothing while all can be. It is
    #: told whether the page was asked for by another URL than its own.
    cap_level: Callable[[bool], str] | None = None
    #: Tells whether purges reach this gateway. While they don't, what is stored is validated before
    #: it is used, and stands in for an error alone.
    receives_purges: Callable[[], bool] | None = None
    #: The longest wait for another request that fetches the same page.
    collapse_timeout: timedelta = timedelta(seconds=10)
    #: After this time without an answer a stale one is used, where stale-if-error allows.
    origin_deadline: timedelta | None = None
    #: What stale-if-error is taken to be for origins that don't say.
    stale_if_error: timedelta = timedelta(0)
    #: At most so many refreshes and overdue fetches run in the background of one process.
    max_background_jobs: int = 4
    all_withheld_fields: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.site is not None and cache_key.normalise_site(*_split(self.site)) is None:
            raise ValueError(f"site must look like 'https://example.org', not {self.site!r}.")
        if not 0 <= self.heuristic_fraction <= 1:
            raise ValueError(
                f"heuristic is a part between 0 and 1, not {self.heuristic_fraction!r}."
            )
        coding_fields = {"accept-encoding"} if self.compress else set()
        directive_fields = (
            set() if "no-cache" in self.obeyed_request_directives else {"cache-control", "pragma"}
        )
        object.__setattr__(
            self,
            "all_withheld_fields",
            self.withheld_fields | coding_fields | directive_fields | {"content-type"},
        )

    @classmethod
    def shield(cls, **changes: object) -> Self:
        """Return options for the edge of an origin of our own that purges what it changes."""
        options = cls(
            obeyed_request_directives=frozenset({"only-if-cached"}),
            ignored_parameters=TRACKERS,
            per_request_fields=PER_REQUEST,
            compress=True,
            get_on_head=True,
            reset_age=True,
        )
        return replace(options, **changes)  # type: ignore[arg-type] # the constructor checks them


def _split(site: str) -> tuple[str, str]:
    scheme, _, authority = site.partition("://")
    return scheme, authority
