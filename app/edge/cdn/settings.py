"""The settings of the drivers; `driver_settings.py` says which of them each driver requires."""

from __future__ import annotations

from .setting import Setting

CDN_SETTINGS = (
    Setting(
        name="EDGE_CLOUDFLARE_TOKEN",
        type=str,
        default="",
        help="an API token of Cloudflare that may purge the cache of the zone, and read it",
        secret=True,
    ),
    Setting(
        name="EDGE_CLOUDFLARE_ZONE",
        type=str,
        default="",
        help="the id of the zone at Cloudflare, 32 hexadecimal digits",
    ),
    Setting(
        name="EDGE_CLOUDFLARE_PLAN",
        type=str,
        default="free",
        help="the plan at Cloudflare, on which the pace of purges depends: free, pro, "
        "business or enterprise",
    ),
    Setting(
        name="EDGE_CLOUDFLARE_BY",
        type=str,
        default="tag",
        help="what Cloudflare is purged by: tag; or url, which is quicker on the free plan "
        "and right only where a Cache Rule ignores the query string",
    ),
    Setting(
        name="EDGE_FASTLY_TOKEN",
        type=str,
        default="",
        help="an API token of Fastly with the scopes purge_select and purge_all",
        secret=True,
    ),
    Setting(
        name="EDGE_FASTLY_SERVICE",
        type=str,
        default="",
        help="the id of the service at Fastly",
    ),
    Setting(
        name="EDGE_CLOUDFRONT_DISTRIBUTION",
        type=str,
        default="",
        help="the id of the distribution at CloudFront",
    ),
    Setting(
        name="EDGE_CLOUDFRONT_KEY",
        type=str,
        default="",
        help="the id of an AWS access key that may create and list invalidations",
        secret=True,
    ),
    Setting(
        name="EDGE_CLOUDFRONT_SECRET",
        type=str,
        default="",
        help="the secret of that access key",
        secret=True,
    ),
    Setting(
        name="EDGE_CLOUDFRONT_SESSION",
        type=str,
        default="",
        help="the session token, where the access key is a temporary one",
        secret=True,
    ),
    Setting(
        name="EDGE_CLOUDFRONT_BY",
        type=str,
        default="path",
        help="what CloudFront is purged by: path; or tag, where the distribution names "
        "Cache-Tag as its tag header",
    ),
    Setting(
        name="EDGE_BUNNY_KEY",
        type=str,
        default="",
        help="the API key of bunny.net",
        secret=True,
    ),
    Setting(
        name="EDGE_BUNNY_ZONE",
        type=str,
        default="",
        help="the id of the pull zone at bunny.net, a number",
    ),
    Setting(
        name="EDGE_VARNISH_NODES",
        type=str,
        default="",
        help="the addresses of every node of Varnish, separated by commas, such as "
        "http://10.0.0.2:6081",
    ),
    Setting(
        name="EDGE_VARNISH_SECRET",
        type=str,
        default="",
        help="the secret that the VCL requires for a purge",
        secret=True,
    ),
    Setting(
        name="EDGE_PURGE_URL",
        type=str,
        default="",
        help="the address of a generic edge that understands a purge of a URL, such as "
        "http://10.0.0.2:8080",
    ),
    Setting(
        name="EDGE_PURGE_METHOD",
        type=str,
        default="PURGE",
        help="the method that purges a URL at a generic edge",
    ),
    Setting(
        name="EDGE_PURGE_HEADER",
        type=str,
        default="Authorization",
        help="the header field that the secret of a generic edge goes in",
    ),
    Setting(
        name="EDGE_PURGE_SECRET",
        type=str,
        default="",
        help="what goes in that field, whole: Bearer and a token, for example",
        secret=True,
    ),
    Setting(
        name="EDGE_PURGE_ALL",
        type=str,
        default="",
        help="the path that purges everything at a generic edge, such as /*; without it, "
        "what calls for that fails",
    ),
)
