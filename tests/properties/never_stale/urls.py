"""The addresses that the walk asks for: of every shared route, also those that name nothing yet."""

from __future__ import annotations

from hashlib import sha256
from io import BytesIO

from PIL import Image

from app.publishing.looks.look import Look
from app.publishing.looks.stylesheet import accent_styles, styles_digest

ARTICLES = ("ash", "birch", "cedar", "dogwood", "elder", "fir", "gum")
PAGES = ("about", "imprint", "press")
TOPICS = ("maps", "ships", "tides")
AUTHORS = ("ada", "bo", "cy")
YEARS = (2020, 2021)
OLD = ("/old/place", "/old/other", "/?p=20")


def _image(width: int, shade: int) -> bytes:
    file = BytesIO()
    Image.new("RGB", (width, 2), (shade, 90, 120)).save(file, "PNG")
    return file.getvalue()


IMAGES = {f"{name}.png": _image(8, shade) for shade, name in enumerate(("oak", "pine"), 40)}
"""The content of each image, by the name under which it is uploaded."""


def image_path(name: str) -> str:
    """Where readers find an image, once it is uploaded."""
    return f"/media/{sha256(IMAGES[name]).hexdigest()[:20]}/{name}"


FILES = {"sheet.pdf": b"%PDF-1.4 rain", "notes.txt": b"wind"}
"""The content of each linked file, by the name under which it is stored."""


def file_path(name: str) -> str:
    """The URL of a linked file, once it is stored."""
    return f"/media/files/{sha256(FILES[name]).hexdigest()[:20]}/{name}"


def listed(place: str, slugs: tuple[str, ...]) -> list[str]:
    """The addresses of a noun that articles are listed under: a topic or an author."""
    below = ("", "/pages/1", "/pages/2", "/feed.xml", "/feed.rss", "/feed.json")
    return [f"{place}/{slug}{path}" for slug in slugs for path in below]


ACCENT = "#8a1c5b"
LOOKS = tuple(
    Look(title=title, accent=accent) for title in ("Site", "Other") for accent in ("", ACCENT)
)
"""What icons and the social image are made from, as long as the site has no logo."""


def theme_paths() -> tuple[str, ...]:
    """The addresses of the files that are made from the settings, of each look."""
    styles = styles_digest(accent_styles(ACCENT, ""))
    icons = {f"/theme/{look.icon_digest}/icon" for look in LOOKS}
    return (
        f"/theme/{styles}.css",
        *(f"{icon}.svg" for icon in sorted(icons)),
        *(f"{icon}-180.png" for icon in sorted(icons)),
        *(f"/theme/{look.social_digest}/social.png" for look in LOOKS),
    )


ADDRESSES = (
    "/",
    "/archive",
    *(f"/archive/{year}" for year in YEARS),
    *(f"/archive/pages/{number}" for number in (1, 2, 3)),
    *(f"/articles/{slug}" for slug in ARTICLES),
    *(f"/{slug}" for slug in PAGES),
    "/authors",
    *listed("/authors", AUTHORS),
    "/topics",
    *listed("/topics", TOPICS),
    "/feed.xml",
    "/feed.rss",
    "/feed.json",
    *(f"/articles/{slug}.md" for slug in ARTICLES),
    *(f"/{slug}.md" for slug in PAGES),
    "/llms.txt",
    "/sitemap.xml",
    *(f"/sitemaps/{number}.xml" for number in (1, 2, 3)),
    "/robots.txt",
    "/.well-known/security.txt",
    "/favicon.ico",
    "/site.webmanifest",
    *theme_paths(),
    "/search?q=rain",
    "/search?q=wind",
    "/search?q=raw+-wind",
    "/search?q=ada",
    "/search?order=date&q=rain",
    "/search?page=2&q=rain",
    "/search?q=rainn",
    *(image_path(name) for name in IMAGES),
    *(f"/theme/covers/{image_path(name).split('/')[2]}.jpg" for name in IMAGES),
    *(file_path(name) for name in FILES),
    "/index.php",
    "/index.php?p=20",
    "/api/posts",
    *(f"/api/posts/pages/{number}" for number in (1, 2)),
    *(f"/api/posts/{slug}" for slug in ARTICLES[:3]),
    "/api",
    "/api/openapi.json",
    "/api/posts?updated_since=2020-06-01T00:00:00Z",
    "/api/authors",
    "/api/pages",
    *(f"/api/pages/{slug}" for slug in PAGES),
    "/api/summary",
    "/api/topics",
    "/downloads/posts.csv",
    "/downloads/posts/1.csv",
    "/downloads/posts/2.json",
    "/downloads/posts.json",
    "/nowhere",
    *OLD,
)
