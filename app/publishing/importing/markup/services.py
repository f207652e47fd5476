"""Tags that show a video or a post of another site: they become links."""

from __future__ import annotations

import re

from .markdown import link
from .tags import Arguments, Tag, read_arguments

_ID = re.compile(r"[\w./-]{1,200}")
_PAGES = {
    "youtube": ("Video on YouTube", "https://www.youtube.com/watch?v={}"),
    "youtubepl": ("Playlist on YouTube", "https://www.youtube.com/playlist?list={}"),
    "vimeo": ("Video on Vimeo", "https://vimeo.com/{}"),
    "gist": ("Gist on GitHub", "https://gist.github.com/{}"),
    "instagram": ("Post on Instagram", "https://www.instagram.com/p/{}/"),
    "tweet": ("Post on Twitter", "https://twitter.com/{}"),
    "streamable": ("Video on Streamable", "https://streamable.com/{}"),
    "jsfiddle": ("Example on JSFiddle", "https://jsfiddle.net/{}/"),
}
_SAME = {
    "twitter": "tweet",
    "x": "tweet",
    "twitter_simple": "tweet",
    "youtube_simple": "youtube",
    "vimeo_simple": "vimeo",
    "instagram_simple": "instagram",
    "tweet_simple": "tweet",
    "x_simple": "tweet",
    "youtubeplaylist": "youtubepl",
}


def convert_service(tag: Tag) -> str | None:
    """Return the link for such a tag; None for any other tag or an identifier that is none."""
    return link_to_service(tag.name, read_arguments(tag.rest))


def link_to_service(tag_name: str, arguments: Arguments) -> str | None:
    """Return the link for a tag of this name with these arguments."""
    name = _SAME.get(tag_name.lower(), tag_name.lower())
    if name not in _PAGES:
        return None
    label, pattern = _PAGES[name]
    label = arguments.get("title") or label
    place = _place(name, arguments)
    if place.startswith(("https://", "http://")):
        return link(label, place)
    return link(label, pattern.format(place)) if _ID.fullmatch(place) else None


def _place(name: str, arguments: Arguments) -> str:
    identifier = arguments.get("id", "url", 0)
    if name == "gist" and len(arguments.positional) > 1 and not arguments.get("id", "url"):
        user, number = arguments.positional[:2]
        return f"{user}/{number}" if "." not in number else user
    if name == "tweet" and not identifier.startswith("http"):
        user = arguments.get("user") or "i"
        return f"{user}/status/{identifier}" if identifier else ""
    return identifier
