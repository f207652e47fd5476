"""A published post as a Markdown file, which other programs read.

Pure: no database and no clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import urljoin

from .importing import references
from .models import Kind, Post

_NOT_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
"""Characters that JSON may contain as they are, but that YAML folds or refuses."""


def markdown_file(post: Post, site_url: str) -> str:
    """Return the source of a post below its front matter, with absolute links.

    The front matter is YAML. Each value is written as JSON, which YAML includes.
    """
    facts = "".join(f"{name}: {_value(value)}\n" for name, value in _facts(post, site_url))
    return f"---\n{facts}---\n\n{_body(post, site_url)}\n"


def _facts(post: Post, site_url: str) -> Iterator[tuple[str, object]]:
    yield "title", post.title
    yield "url", f"{site_url}{post.path}"
    if post.summary:
        yield "description", post.summary
    if post.kind is Kind.ARTICLE and post.published_at is not None:
        yield "date", post.published_at.isoformat(timespec="seconds")
    yield "lastmod", post.updated_at.isoformat(timespec="seconds")
    if post.language:
        yield "lang", post.language
    if post.kind is Kind.ARTICLE:
        yield "authors", [author.name for author in post.authors]
        yield "topics", [topic.name for topic in post.topics]


def _value(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return _NOT_YAML.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def _body(post: Post, site_url: str) -> str:
    source = post.body_markdown
    base = f"{site_url}{post.path}"
    paths = {reference.target for reference in references.find(source)}
    return references.replace(source, {path: _absolute(path, base) for path in paths}).strip()


def _absolute(reference: str, base: str) -> str:
    """Resolve a reference (RFC 3986, section 5); a place in the text and text that is no URL stay.

    Inside a text, `#notes` leads to the same place in the file as on the page.
    """
    if reference.startswith("#"):
        return reference
    try:
        return urljoin(base, reference)
    except ValueError:
        return reference
