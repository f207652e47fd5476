"""What the tags of a text may refer to: other posts of the folder, and values of the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from . import source_urls
from .configuration import Tool
from .markup import ConvertedText, MarkupContext, convert_html, convert_markup
from .publication.state import Reason, State
from .reference_targets import Folder
from .source_folder import SourcePost

TEXT_KEY = "text"
"""The key of a reason that the text itself gives, not its front matter."""


def convert_post(folder: Folder, post: SourcePost) -> tuple[SourcePost, ConvertedText]:
    """Return the post with its tags converted, and what there is to say about them."""
    body = post.document.body
    if _is_own_export(post):
        lines = tuple(range(1, body.count("\n") + 2))
        return post, ConvertedText(text=body, lines=lines)
    convert = convert_html if post.document.is_html else convert_markup
    converted = convert(body, _tool(post), _context(folder, post))
    document = replace(post.document, body=converted.text, body_lines=converted.lines)
    return replace(post, document=document), converted


def _is_own_export(post: SourcePost) -> bool:
    """Tell whether `flask content export` wrote the file: its text has no tags of other tools."""
    values = post.document.values
    slug, path = values.get("slug"), values.get("path")
    return (
        post.document.kind == "toml"
        and "lastmod" in values
        and path in {f"/articles/{slug}", f"/{slug}"}
    )


def draft_reasons(converted: ConvertedText) -> tuple[Reason, ...]:
    """Return why the text keeps its post a draft, as reasons for the decision on publication."""
    return tuple(
        Reason(key=TEXT_KEY, state=State.DRAFT, sentence=reason.sentence)
        for reason in converted.hold_back_reasons
    )


def _tool(post: SourcePost) -> str:
    """Return the tool that wrote the text; empty when neither configuration nor path tells it."""
    if post.tool is not None:
        return post.tool.lower()
    if {"_posts", "_drafts"} & set(post.path.parts):
        return "" if "source" in post.path.parts else "jekyll"
    return "zola" if source_urls.generator(post.document, post.path) == "zola" else ""


def _context(folder: Folder, post: SourcePost) -> MarkupContext:
    finder = folder.finder

    def find_post(reference: str) -> str | None:
        if finder is None:
            return None
        language = post.language_name if post.name_path != post.path else ""
        entry = finder.find(reference, post.path.parent, language=language)
        return None if entry is None else entry.source

    return MarkupContext(
        templates=folder.templates,
        values=_values(post),
        find_post=find_post,
        site_url=folder.base_url,
        drafts_for_unknown_tags=folder.drafts_for_unknown_tags,
        hides_raw_html=_hides_raw_html(folder, post),
    )


def _hides_raw_html(folder: Folder, post: SourcePost) -> bool:
    """Tell whether the old site left raw HTML out: Hugo does, unless `unsafe` is set."""
    if post.tool is not Tool.HUGO:
        return False
    value: object = folder.configuration.values if folder.configuration else None
    for name in ("markup", "goldmark", "renderer", "unsafe"):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value is not True


def _values(post: SourcePost) -> dict[str, str]:
    scalars = {
        f"page.{key}": str(value)
        for key, value in post.document.values.items()
        if isinstance(value, str | int | float)
    }
    date = post.meta.date
    dated = {"page.date": date.strftime("%Y-%m-%d %H:%M:%S %z")} if date else {}
    return {**scalars, **dated, "page.title": post.title}
