"""Response headers of pages that let browsers load files and pages early.

`Speculation-Rules` names the file with the rules for prefetching linked pages. `Link` names what
every page loads first; a CDN may send it as 103 Early Hints while the page is rendered.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Response, url_for

_RULES = "site.speculationrules"
_STYLES = "css/site.css"
_FONTS = ("fonts/newsreader.woff2", "fonts/libre-franklin.woff2")


def add_browser_hints(response: Response) -> Response:
    """Add both headers to a page; other responses, redirects and errors stay as they are."""
    if response.status_code != HTTPStatus.OK or response.mimetype != "text/html":
        return response
    response.headers["Speculation-Rules"] = f'"{_file_url(_RULES)}"'
    links = [f"<{_file_url(_STYLES)}>; rel=preload; as=style"]
    links += [
        f'<{_file_url(font)}>; rel=preload; as=font; type="font/woff2"; crossorigin'
        for font in _FONTS
    ]
    response.headers.add("Link", ", ".join(links))
    return response


def _file_url(name: str) -> str:
    return url_for("static", filename=name)
