"""The JSON objects of the API as types; `openapi.py` describes them from these types.

An attribute of a type is documented by the `Note` in its `Annotated`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a JSON schema says besides the type."""

    format: str = ""
    description: str = ""


Url = Annotated[str, Note(format="uri")]
Instant = Annotated[str, Note(format="date-time")]


class Author(TypedDict):
    """An author."""

    slug: str
    name: str
    url: Url


class CountedAuthor(Author):
    """An author with the number of published articles."""

    count: int


class Topic(TypedDict):
    """A topic."""

    slug: str
    name: str
    url: Url


class CountedTopic(Topic):
    """A topic with its description and the number of published articles."""

    description: str
    count: int


class Cover(TypedDict):
    """The picture at the top of an article."""

    url: Url
    width: int
    height: int
    alt: str


class Heading(TypedDict):
    """An entry of the table of contents; `id` is the fragment of its URL."""

    level: int
    id: str
    text: str


class Post(TypedDict):
    """An article in a list."""

    id: Annotated[str, Note(description="The identifier in feeds; it outlives a rename.")]
    slug: str
    title: str
    summary: str
    language: Annotated[str | None, Note(description="Null if it is the language of the site.")]
    url: Url
    api_url: Url
    markdown_url: Url
    published_at: Instant | None
    updated_at: Instant | None
    word_count: int
    authors: list[Author]
    topics: list[Topic]
    cover: Cover | None


class FullPost(Post):
    """An article with its text."""

    contents: list[Heading]
    html: str


class PageRange(TypedDict):
    """How many numbered pages there are, and the first and the last of them."""

    count: int
    oldest: Url | None
    newest: Url | None


class PostList(TypedDict):
    """The newest articles, and where all of them are."""

    count: int
    posts: list[Post]
    pages: PageRange


class ChangedPosts(TypedDict):
    """Articles that changed since an instant, the earliest change first."""

    posts: list[Post]
    next: Annotated[Url | None, Note(description="Where to ask next time, and for the rest now.")]
    complete: Annotated[bool, Note(description="False if further articles have changed.")]


class NumberedPosts(TypedDict):
    """One page of all articles, newest first."""

    number: int
    posts: list[Post]
    older: Url | None
    newer: Url | None


class Page(TypedDict):
    """A page, such as About, in a list."""

    id: Annotated[str, Note(description="An identifier that outlives a rename.")]
    slug: str
    title: str
    summary: str
    language: Annotated[str | None, Note(description="Null if it is the language of the site.")]
    url: Url
    api_url: Url
    markdown_url: Url
    updated_at: Instant | None


class FullPage(Page):
    """A page with its text."""

    contents: list[Heading]
    html: str


class PageList(TypedDict):
    """All pages, by slug."""

    pages: list[Page]


class TopicList(TypedDict):
    """The topics of published articles, by name."""

    topics: list[CountedTopic]


class AuthorList(TypedDict):
    """The authors of published articles, by name."""

    authors: list[CountedAuthor]


class Summary(TypedDict):
    """The site in numbers."""

    title: str
    tagline: str
    url: Url
    articles: int
    pages: int
    topics: int
    authors: int
    words: int
    newest_at: Instant | None
    oldest_at: Instant | None


class Endpoint(TypedDict):
    """One endpoint; `path` is a URI template (RFC 6570) below the URL of the site."""

    path: str
    description: str
    parameters: list[str]


class EndpointList(TypedDict):
    """The endpoints of the API, and their description in OpenAPI."""

    openapi: Url
    endpoints: list[Endpoint]


class DownloadRow(TypedDict):
    """One article in a file."""

    url: Url
    title: str
    summary: str
    published_at: Instant
    updated_at: Instant
    words: int
    authors: list[str]
    topics: list[str]


class Download(TypedDict):
    """Articles as objects, newest first."""

    posts: list[DownloadRow]


class Error(TypedDict):
    """What went wrong: the status, its name, and a sentence."""

    status: int
    error: str
    message: str
