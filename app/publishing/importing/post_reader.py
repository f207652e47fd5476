"""Read one file of the folder as a post; a file that can't be one is left out with a reason."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC
from hashlib import sha256
from pathlib import Path, PurePosixPath

from . import dates, frontmatter, html_posts, post_meta, source_urls
from .addresses import find_addresses
from .configuration import SourceConfiguration, Tool
from .file_access import SourceError, read_file
from .file_kinds import is_project_file
from .file_language import FileLanguage
from .inheritance import Inherited
from .publication.decision import is_held_back
from .reading_rules import Rules
from .source_post import Skipped, SourcePost


def read_file_as_post(home: Path, path: PurePosixPath, rules: Rules) -> SourcePost | Skipped:
    """Return the post that a file holds, or the reason for which it is left out."""
    if skip_reason := rules.find_skip_reason(path):
        return Skipped(path=path, line=None, reason=skip_reason)
    try:
        data = read_file(home, path, most=rules.limits.text_bytes)
        text = data.decode("utf-8-sig")
        return _build_source_post(path, text, sha256(data).hexdigest(), rules)
    except SourceError as error:
        return Skipped(path=path, line=None, reason=str(error))
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        wrong = f"is not UTF-8: byte 0x{data[error.start]:02x} at offset {error.start}"
        return Skipped(path=path, line=line, reason=f"{wrong}; save it as UTF-8")
    except frontmatter.FrontMatterError as error:
        return Skipped(path=path, line=error.line, reason=error.reason)


def _build_source_post(
    path: PurePosixPath, text: str, digest: str, rules: Rules
) -> SourcePost | Skipped:
    is_html = rules.find_suffix(path) in html_posts.SUFFIXES
    document = html_posts.split(text) if is_html else frontmatter.split(text)
    is_post = _needs_no_front_matter(path, rules.tool) and not is_project_file(path)
    if document.kind == "none" and not is_post:
        reason = "has no front matter; put a title between two lines of --- at its top"
        return Skipped(path=path, line=1, reason=reason)
    template = next((k for k, v in document.values.items() if _is_template(k, v)), None)
    if template is not None:
        reason = f"is a template: its {template} holds {{{{ or {{%"
        return Skipped(path=path, line=document.line_of(template), reason=reason)
    inherited = rules.inheritance.find(path) if rules.inheritance else Inherited()
    zone = (rules.configuration and rules.configuration.time_zone) or UTC
    complete_document = inherited.complete(document)
    language = rules.find_language(path)
    meta = post_meta.read_meta(complete_document, language.path, zone)
    meta = replace(meta, remarks=(*meta.remarks, *language.remarks))
    if not document.body.strip() and not meta.title:
        reason = "has no title, and no text below its front matter"
        return Skipped(path=path, line=document.offset, reason=reason)
    slug = meta.slug or dates.without_date(source_urls.own_name(language.path))
    reasons = (*inherited.reasons, *rules.find_reasons(path, slug))
    if meta.date is None and not is_held_back(meta.publication, reasons):
        meta = replace(meta, kind="page")  # an article without a date has no place
    post = _source_post(path, meta, complete_document, digest, rules, language)
    return replace(post, document=document, reasons=reasons)


def _needs_no_front_matter(path: PurePosixPath, tool: Tool | None) -> bool:
    """Whether the tool publishes a file without front matter at this place."""
    return "_posts" in path.parts or tool in {Tool.HUGO, Tool.HEXO, Tool.ELEVENTY}


def _is_template(key: str, value: object) -> bool:
    return key.lower() in {"title", "date"} and any(mark in str(value) for mark in ("{{", "{%"))


def _source_post(
    path: PurePosixPath,
    meta: post_meta.Meta,
    document: frontmatter.Document,
    digest: str,
    rules: Rules,
    language: FileLanguage,
) -> SourcePost:
    title = meta.title or _title(document, language.path)
    if len(title) > post_meta.MAX_TITLE:  # a heading; the text keeps all of it
        title = title[: post_meta.MAX_TITLE].rstrip()
        sentence = f"title is cut after {post_meta.MAX_TITLE} characters: {title[:40]}…"
        meta = replace(meta, remarks=(*meta.remarks, ("title", sentence)))
    configuration = rules.configuration or SourceConfiguration(root=Path())
    addresses = find_addresses(
        configuration,
        document,
        meta,
        path,
        title=title,
        permalink=rules.permalink,
        language=language,
    )
    return SourcePost(
        path=path,
        title=title,
        meta=meta,
        document=document,
        source_url=addresses.main,
        aliases=addresses.aliases,
        siblings=addresses.siblings,
        digest=digest,
        tool=configuration.tool,
        zone=configuration.time_zone or UTC,
        body_digest=sha256((document.body.strip() or digest).encode()).hexdigest(),
        earlier_url=addresses.earlier,
        name_path=language.path,
        language=meta.language or language.tag,
        language_name=language.name or meta.language or "",
    )


def _title(document: frontmatter.Document, path: PurePosixPath) -> str:
    """Take the title from a first `# heading`, else from the file's name."""
    first = next((line for line in document.body.split("\n") if line.strip()), "")
    if first.startswith("# "):
        return first[2:].strip().rstrip("#").strip() or path.stem
    words = dates.without_date(source_urls.own_name(path)).replace("-", " ")
    return " ".join(words.replace("_", " ").split()).capitalize() or path.stem
