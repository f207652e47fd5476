"""The settings of the drivers; `driver_settings.py` says which of them each driver requires."""

from __future__ import annotations

from .setting import Setting

CDN_SETTINGS = (
    Setting(
        name="EDGE_CLOUDFLARE_TOKEN",
        type=str,
        default="",
        help="An API token of Cloudflare that may purge the cache of the zone, and read it.",
        secret=True,
    ),
    Setting(
        name="EDGE_CLOUDFLARE_ZONE",
        type=str,
        default="",
        help="The id of the zone at Cloudflare, 32 hexadecimal digits.",
    ),
    Setting(
        name="EDGE_CLOUDFLARE_PLAN",
        type=str,
        default="free",
        help="The plan at Cloudflare, which determines the rate of purges: free, pro, business or "
        "enterprise.",
    ),
    Setting(
        name="EDGE_CLOUDFLARE_BY",
        type=str,
        default="tag",
        help="What Cloudflare is purged by: tag; or url, which is quicker on the free plan and "
        "correct only if a Cache Rule ignores the query string.",
    ),
    Setting(
        name="EDGE_FASTLY_TOKEN",
        type=str,
        default="",
        help="An API token of Fastly with the scopes purge_select and purge_all.",
        secret=True,
    ),
    Setting(
        name="EDGE_FASTLY_SERVICE",
        type=str,
        default="",
        help="The id of the service at Fastly.",
    ),
    Setting(
        name="EDGE_CLOUDFRONT_DISTRIBUTION",
        type=str,
        default="",
        help="The id of the distribution at CloudFront.",
    ),
    Setting(
        name="EDGE_CLOUDFRONT_KEY",
        type=str,
        default="",
        help="The id of an AWS access key that may create and list invalidations.",
        secret=True,
    ),
    Setting(
        name="EDGE_CLOUDFRONT_SECRET",
        type=str,
        default="",
        help="The secret of that access key.",
        secret=True,
    ),
    Setting(
        name="EDGE_CLOUDFRONT_SESSION",
        type=str,
        default="",
        help="The session token of a temporary access key.",
        secret=True,
    ),
    Setting(
        name="EDGE_CLOUDFRONT_BY",
        type=str,
        default="path",
        help="What CloudFront is purged by: path; or tag, if the distribution names Cache-Tag as "
        "its tag header.",
    ),
    Setting(
        name="EDGE_BUNNY_KEY",
        type=str,
        default="",
        help="The API key of bunny.net.",
        secret=True,
    ),
    Setting(
        name="EDGE_BUNNY_ZONE",
        type=str,
        default="",
        help="The id of the pull zone at bunny.net, a number.",
    ),
    Setting(
        name="EDGE_VARNISH_NODES",
        type=str,
        default="",
        help="The addresses of every node of Varnish, separated by commas, such as "
        "http://10.0.0.2:6081.",
    ),
    Setting(
        name="EDGE_VARNISH_SECRET",
        type=str,
        default="",
        help="The secret that the VCL requires for a purge.",
        secret=True,
    ),
    Setting(
        name="EDGE_PURGE_URL",
        type=str,
        default="",
        help="The address of a generic edge that understands a purge of a URL, such as "
        "http://10.0.0.2:8080.",
    ),
    Setting(
        name="EDGE_PURGE_METHOD",
        type=str,
        default="PURGE",
        help="The method that purges a URL at a generic edge.",
    ),
    Setting(
        name="EDGE_PURGE_HEADER",
        type=str,
        default="Authorization",
        help="The header field that carries the secret of a generic edge.",
    ),
    Setting(
        name="EDGE_PURGE_SECRET",
        type=str,
        default="",
        help="The whole value of that field, such as Bearer and a token.",
        secret=True,
    ),
    Setting(
        name="EDGE_PURGE_ALL",
        type=str,
        default="",
        help="The path that purges everything at a generic edge, such as /*. Without it, a purge "
        "of everything fails.",
    ),
)
