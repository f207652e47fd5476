"""What the tags of a text may refer to: other posts of the folder, and values of the file."""

from __future__ import annotations

from dataclasses import replace

from . import source_urls
from .markup import ConvertedText, MarkupContext, convert_markup
from .reference_targets import Folder
from .source_folder import SourcePost


def convert_post(folder: Folder, post: SourcePost) -> tuple[SourcePost, ConvertedText]:
    """Return the post with its tags converted, and what there is to say about them."""
    body = post.document.body
    if _is_own_export(post):
        lines = tuple(range(1, body.count("\n") + 2))
        return post, ConvertedText(text=body, lines=lines)
    converted = convert_markup(body, _tool(folder, post), _context(folder, post))
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


def _tool(folder: Folder, post: SourcePost) -> str:
    """Return the tool that wrote the text; empty when neither configuration nor path tells it."""
    if folder.tool:
        return folder.tool
    parts = post.path.parts
    if {"_posts", "_drafts"} & set(parts):
        return "" if "source" in parts else "jekyll"
    return "zola" if source_urls.generator(post.document, post.path) == "zola" else ""


def _context(folder: Folder, post: SourcePost) -> MarkupContext:
    finder = folder.finder

    def find_post(reference: str) -> str | None:
        entry = finder.find(reference, post.path.parent) if finder else None
        return None if entry is None else entry.source

    return MarkupContext(
        templates=folder.templates,
        values=_values(post),
        find_post=find_post,
        site_url=folder.base_url,
        drafts_for_unknown_tags=folder.drafts_for_unknown_tags,
        hides_raw_html=folder.tool.lower() == "hugo",
    )


def _values(post: SourcePost) -> dict[str, str]:
    scalars = {
        f"page.{key}": str(value)
        for key, value in post.document.values.items()
        if isinstance(value, str | int | float)
    }
    date = post.meta.date
    dated = {"page.date": date.strftime("%Y-%m-%d %H:%M:%S %z")} if date else {}
    return {**scalars, **dated, "page.title": post.title}
