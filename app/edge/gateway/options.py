"""The options of a gateway; the defaults are those of a shared cache by RFC 9111."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self

from ..http import cache_key
from ..http.cache_key import TRACKERS
from ..name import CACHE_CONTROL, NAME
from . import language_list
from .capped_headers import FIELD_LOWER

if TYPE_CHECKING:
    from collections.abc import Callable

#: Response fields that are meant for caches and are never sent to readers.
INTERNAL: Final = frozenset(
    {
        CACHE_CONTROL.lower(),
        FIELD_LOWER,
        language_list.FIELD_LOWER,
        "cache-tag",
        "cdn-tag",
        "edge-cache-tag",
        "surrogate-control",
        "surrogate-key",
        "xkey",
    }
)
#: Request fields with which a client could make the origin see another URL, host, method or client,
#: or could select another page without a Vary.
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
#: The request directives of RFC 9111 section 5.2.1 and RFC 5861.
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
#: Response fields that describe one request, not the page.
PER_REQUEST: Final = frozenset({"server-timing", "x-correlation-id", "x-request-id", "x-runtime"})
_MEBI: Final = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """The options of one gateway; names of header fields are in lower case."""

    #: This cache's name in Cache-Status.
    name: str = NAME
    #: Response fields that override Cache-Control, in this order (RFC 9213).
    targeted_fields: tuple[str, ...] = (CACHE_CONTROL.lower(), "cdn-cache-control")
    #: Response fields that are stored but never sent to a reader.
    internal_fields: frozenset[str] = INTERNAL
    #: Response fields that only the first reader gets; they are not stored.
    per_request_fields: frozenset[str] = frozenset()
    #: Request directives that have effect; an origin shield ignores a reader's no-cache.
    obeyed_request_directives: frozenset[str] = REQUEST_DIRECTIVES
    #: Query parameters (`*` for any ending) that are removed from the key and for the origin.
    ignored_parameters: tuple[str, ...] = ()
    #: Request fields that the origin never sees in a fetch that may be shared.
    withheld_fields: frozenset[str] = WITHHELD
    #: If given, the only request fields that the origin sees in such a fetch.
    allowed_fields: frozenset[str] | None = None
    #: If set, the site (`https://host`) of every request, regardless of its Host.
    site: str | None = None
    #: The SCRIPT_NAME of the application; requests with another one bypass the cache.
    mount: str = ""
    #: Returns whether requests for a path bypass the cache.
    bypasses: Callable[[str], bool] | None = None
    #: Compress each page once with brotli and gzip, and request identity from the origin.
    compress: bool = False
    #: Returns whether the application compresses a path itself: each of its codings is then stored
    #: as a separate variant.
    is_encoded_by_origin: Callable[[str], bool] | None = None
    #: Forward HEAD requests as GET, so that the page can be stored.
    get_on_head: bool = False
    #: The minimum size in bytes of a body that is compressed.
    min_compress_size: int = 512
    #: The maximum size in bytes of a body that is stored.
    max_body_size: int = 8 * _MEBI
    #: Store Set-Cookie like any other field. Never use it for pages of more than one person.
    store_cookies: bool = False
    #: The heuristic lifetime as a fraction of the time since Last-Modified; 0 disables it.
    heuristic_fraction: float = 0
    #: Send a fresh page with `Age: 0` and a current Date if its first targeted field contains
    #: `purged` and a downstream cache may store it.
    reset_age: bool = False
    #: Returns the cap level (see `capped_headers`) while some downstream caches can't be purged,
    #: or an empty string. Its argument is whether the request has another URL than the page.
    cap_level: Callable[[bool], str] | None = None
    #: Returns whether purges reach this gateway. If not, stored responses are revalidated before
    #: use and served unvalidated only on origin errors.
    receives_purges: Callable[[], bool] | None = None
    #: The maximum wait for another request that fetches the same page.
    collapse_timeout: timedelta = timedelta(seconds=10)
    #: After this time without a response a stale one is served, if stale-if-error allows it.
    origin_deadline: timedelta | None = None
    #: The stale-if-error of responses that don't contain one.
    stale_if_error: timedelta = timedelta(0)
    #: The maximum number of refreshes and late fetches in the background of one process.
    max_background_jobs: int = 4
    all_withheld_fields: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if self.site is not None and cache_key.normalise_site(*_split(self.site)) is None:
            raise ValueError(f"site must look like 'https://example.org', not {self.site!r}.")
        if not 0 <= self.heuristic_fraction <= 1:
            raise ValueError(
                f"heuristic_fraction must be between 0 and 1, not {self.heuristic_fraction!r}."
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
        """Return options for the gateway of an application that purges the pages it changes."""
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
