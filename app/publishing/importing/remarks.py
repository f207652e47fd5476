"""Warnings about an imported post, each with the line of its file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath
from urllib.parse import unquote

from .markup import ConvertedText
from .markup_context import TEXT_KEY
from .publication.state import Publication
from .reference_targets import Translation
from .remote_images import RemoteImages, is_remote
from .report import Report
from .source_folder import SourcePost

_SHORTCODE = "the shortcode "
_DEAD = "leads to no known post"
_LINE = re.compile(r"line (\d+): ", re.IGNORECASE)


def warn(
    report: Report,
    post: SourcePost,
    meaning: Translation,
    errors: Mapping[PurePosixPath, str],
    warnings: Iterable[str],
) -> None:
    """Note what rendering found, and which images and files are left out and why."""
    sentences = _sentences(meaning, errors)
    rejected = {target for target, file in meaning.images.items() if file in errors}
    named = sentences.keys() | meaning.dead_links
    for target in sorted(sentences, key=lambda target: meaning.lines[target]):
        report.warn(post.path, meaning.lines[target], sentences[target])
    cover = post.meta.image
    if cover and cover not in meaning.images and cover not in meaning.remote:
        where = "lies on another site" if is_remote(cover) else "was not found in the folder"
        report.warn(post.path, meaning.lines[cover], f"the cover {cover} {where}")
    for target in meaning.dead_links:
        sentence = f"the link {target} leads to no post and no file of the folder"
        report.warn(post.path, meaning.lines[target], sentence)
    for warning in warnings:
        if _SHORTCODE in warning:
            continue  # the conversion of tags has named it, with its own line
        is_repeated = _DEAD in warning and _named_in(warning, meaning) in named
        if not is_repeated:
            _note(report, post, meaning, rejected, warning)


def _sentences(meaning: Translation, errors: Mapping[PurePosixPath, str]) -> dict[str, str]:
    """Return what there is to say about each image and file, by its target."""
    sentences = dict(meaning.remarks)
    for noun, files in (("image", meaning.images), ("file", meaning.files)):
        for target, file in files.items():
            if file in errors:
                sentences[target] = f"the {noun} {target} is left out: {errors[file]}"
    return sentences


def warn_of_remote_images(
    report: Report, post: SourcePost, meaning: Translation, remote: RemoteImages
) -> None:
    """Note which images of other sites were not fetched, and why."""
    for url, reason in remote.errors.items():
        line = meaning.lines.get(url) or post.document.line_of("image")
        report.warn(post.path, line, f"the image {url} was not fetched: {reason}")


def warn_about_tags(report: Report, post: SourcePost, converted: ConvertedText) -> None:
    """Note which tags were removed or stay as text, and why the post is kept a draft."""
    for remark in (*converted.hold_back_reasons, *converted.remarks):
        report.warn(post.path, post.document.offset + remark.line, remark.sentence)


def warn_of_publication(report: Report, post: SourcePost, publication: Publication) -> None:
    """Note why a post is not public, and what changes for its readers."""
    for reason in publication.remarks:
        if reason.key == TEXT_KEY:
            continue  # `warn_about_tags` names it with its own line
        has_line = any(reason.key == key for key, _ in post.meta.publication)
        line = post.document.line_of(reason.key.rpartition(".")[2]) if has_line else None
        report.warn(post.path, line, reason.sentence)
    for key, sentence in post.meta.remarks:
        report.warn(post.path, post.document.line_of(key), sentence)


def _note(
    report: Report, post: SourcePost, meaning: Translation, rejected: set[str], warning: str
) -> None:
    numbered = _LINE.match(warning)
    if numbered:
        line = post.document.line_in_file(int(numbered[1]))
        report.warn(post.path, line, warning[numbered.end() :])
        return
    target = _named_in(warning, meaning)
    if target not in rejected:
        report.warn(post.path, meaning.lines.get(target), warning)


def _named_in(warning: str, meaning: Translation) -> str:
    """The longest target that the warning speaks of."""
    spoken = (t for t in meaning.lines if t in warning or unquote(t) in warning)
    return max(spoken, key=len, default="")
