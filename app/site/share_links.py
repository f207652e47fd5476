"""Links that share an article elsewhere. They need no script and load nothing from other sites."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from app.publishing.models import Post

from .structured_data import absolute


@dataclass(frozen=True, slots=True, kw_only=True)
class ShareLinks:
    """The address of an article, and the links that pass it on."""

    url: str
    mail: str
    mastodon: str
    bluesky: str


def share_links(post: Post) -> ShareLinks:
    """Return the links of an article; its title and its address are the text."""
    url = absolute(post.path)
    title = " ".join(post.title.split())
    text = quote(f"{title} {url}", safe="")
    return ShareLinks(
        url=url,
        mail=f"mailto:?subject={quote(title, safe='')}&body={quote(url, safe='')}",
        # The text is in the fragment, which a browser does not send to the server.
        mastodon=f"https://share.joinmastodon.org/#text={text}",
        bluesky=f"https://bsky.app/intent/compose?text={text}",
    )
