"""Export the whole site as a folder of Markdown, images and `site.toml`, which can be imported."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session, undefer_group

from app.extensions import db

from .editing.summaries import is_excerpt
from .importing import references
from .importing.extra_fields import text_to_toml, to_toml
from .importing.names import NameIndex
from .models import Attachment, Author, Media, MediaFile, Post, Redirect, Site, Status, Topic
from .models import Kind as PostKind
from .paths import to_url
from .site_settings import BY_COLUMN, Kind

_ALWAYS = ("title", "tagline", "description", "language")
_MENU = (
    sa.select(Post.slug)
    .where(Post.kind == PostKind.PAGE, Post.menu_position.is_not(None))
    .order_by(Post.menu_position, Post.slug)
)

Value = str | int | bool | datetime | list[str]
Indexes = Mapping[type[Author | Topic], NameIndex]


class ExportError(ValueError):
    """A folder that can't be written to; nothing was changed."""


def export_folder(target: Path, *, force: bool = False) -> int:
    """Write every post, draft or public, with its images and files; gives how many posts there are.

    The folder appears when it is complete. A folder that is not empty is refused, or with `force`
    replaced. Raises ExportError with a sentence for a person.
    """
    check(target, force=force)
    try:
        draft = Path(tempfile.mkdtemp(prefix=".export-", dir=target.parent))
    except OSError as error:
        raise ExportError(f"{target} can't be written ({error.strerror}).") from None
    try:
        posts = _write_all(db.session(), draft)
        draft.chmod(0o755)
        _put_in_place(draft, target)
    except OSError as error:
        raise ExportError(f"{target} can't be written ({error.strerror}).") from None
    finally:
        db.session.rollback()
        shutil.rmtree(draft, ignore_errors=True)
    return posts


def check(target: Path, *, force: bool) -> None:
    """Raise when the folder can't be made, or would lose what it holds."""
    if not target.parent.is_dir():
        raise ExportError(f"{target.parent} does not exist; make it first.")
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        raise ExportError(f"{target} is not a folder; name another one.")
    if target.is_dir() and any(target.iterdir()) and not force:
        raise ExportError(f"{target} is not empty; empty it, name another folder, or use --force.")


def _put_in_place(draft: Path, target: Path) -> None:
    """Exchange the folders; the old one is removed after the new one is in place."""
    if not target.exists():
        draft.rename(target)
        return
    old = Path(tempfile.mkdtemp(prefix=".replaced-", dir=target.parent))
    target.rename(old / "old")
    try:
        draft.rename(target)
    except OSError:
        (old / "old").rename(target)
        raise
    finally:
        shutil.rmtree(old, ignore_errors=True)


def _write_all(session: Session, root: Path) -> int:
    """Write the files from one snapshot of the database."""
    _write(root / "site.toml", "".join(_site(session, root)))
    names = {model: NameIndex.load(session, model) for model in (Author, Topic)}
    ids = session.scalars(sa.select(Post.id).order_by(Post.id)).all()
    for post_id in ids:
        options = (undefer_group("source"),)
        post = session.get_one(Post, post_id, options=options, populate_existing=True)
        _write_post(session, root, post, names)
        session.expunge(post)
    return len(ids)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(text)


def _write_post(session: Session, root: Path, post: Post, indexes: Indexes) -> None:
    """Write one post, as a file or, when it has images or files, as a folder with them."""
    rows = _files(session, post)
    folder = root / ("articles" if post.kind is PostKind.ARTICLE else "pages")
    path = folder / post.slug / "index.md" if rows else folder / f"{post.slug}.md"
    names = _names(rows.values())
    for row, name in names.items():
        _write_content(session, path.parent / name, row)
    targets = {target: names[row] + _fragment(target) for target, row in rows.items()}
    cover = targets.pop("", None)
    front = _table(_facts(session, post, cover, indexes))
    front += "".join(to_toml(post.extra_fields or {}))
    body = references.replace(post.body_markdown, targets)
    _write(path, f"+++\n{front}+++\n\n{body}\n")


def _files(session: Session, post: Post) -> dict[str, Media | Attachment]:
    """The images and files that the text names, by how it names them; the cover has no name."""
    rows: dict[str, Media | Attachment] = {}
    for reference in references.find(post.body_markdown):
        row = _row_at(session, reference.target)
        if row is not None:
            rows[reference.target] = row
    if post.cover_id is not None:
        rows[""] = session.get_one(Media, post.cover_id)
    return rows


def _row_at(session: Session, path: str) -> Media | Attachment | None:
    """Return the image or the file that is served at this path."""
    match path.partition("#")[0].split("/"):
        case ["", "media", fingerprint, _]:
            statement = sa.select(Media).join(MediaFile, MediaFile.media_id == Media.id)
            statement = statement.where(MediaFile.fingerprint == fingerprint, MediaFile.original)
            return session.scalars(statement).first()
        case ["", "media", "files", fingerprint, name]:
            is_file = (Attachment.fingerprint == fingerprint, Attachment.name == name)
            return session.scalars(sa.select(Attachment).where(*is_file)).first()
    return None


def _fragment(target: str) -> str:
    """Return the part of a URL that names a place inside a file, such as `#page=3`."""
    return "".join(target.partition("#")[1:])


def _names(rows: Iterable[Media | Attachment]) -> dict[Media | Attachment, str]:
    """A file name for each row; of two with one name, the second lies in a folder."""
    names: dict[Media | Attachment, str] = {}
    for row in rows:
        is_taken = row.name in names.values()
        names.setdefault(row, f"{row.digest[:8]}/{row.name}" if is_taken else row.name)
    return names


def _write_content(session: Session, path: Path, row: Media | Attachment) -> None:
    if isinstance(row, Attachment):
        statement = sa.select(Attachment.content).where(Attachment.id == row.id)
    else:
        statement = sa.select(MediaFile.content).where(MediaFile.media_id == row.id)
        statement = statement.where(MediaFile.original)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(session.scalars(statement).one())


def _facts(
    session: Session, post: Post, cover: str | None, indexes: Indexes
) -> Iterator[tuple[str, Value]]:
    """Yield the fields of the front matter."""
    yield "title", post.title
    yield "slug", post.slug
    yield "path", post.path
    if post.kind is PostKind.PAGE:
        yield "type", "page"
    if post.language:
        yield "lang", post.language
    yield from _identity(post)
    if not is_excerpt(session, post):
        yield "description", post.summary
    if post.status in {Status.DRAFT, Status.ARCHIVED}:
        yield "draft", True
        yield "status", post.status.value
    yield from _people(indexes, post)
    yield from _looks(post, cover)
    if aliases := _aliases(session, post):
        yield "aliases", aliases


def _identity(post: Post) -> Iterator[tuple[str, Value]]:
    """Yield the dates and the identifier in feeds."""
    if post.published_at is not None:
        yield "date", post.published_at
    yield "lastmod", post.updated_at
    if post.feed_id:
        yield "guid", post.feed_id


def _looks(post: Post, cover: str | None) -> Iterator[tuple[str, Value]]:
    if cover is not None:
        yield "cover", cover
        if post.cover_alt:
            yield "cover_alt", post.cover_alt
    if post.menu_position is not None:
        yield "menu", "main"
        yield "weight", post.menu_position


def _people(indexes: Indexes, post: Post) -> Iterator[tuple[str, Value]]:
    """Yield the lists of authors and topics; an import finds the same rows by these texts."""
    if post.authors:
        yield "authors", [indexes[Author].text_for(author) for author in post.authors]
    if post.topics:
        yield "topics", [indexes[Topic].text_for(topic) for topic in post.topics]


def _aliases(session: Session, post: Post) -> list[str]:
    old = sa.select(Redirect.source).where(Redirect.post_id == post.id)
    return [to_url(source) for source in session.scalars(old.order_by(Redirect.source))]


def _site(session: Session, root: Path) -> Iterator[str]:
    """The file `site.toml`; the images of the settings are written beside it."""
    site = session.get(Site, 1)
    if site is not None:
        yield from to_toml(dict(_settings(session, root, site)))
    if menu := session.scalars(_MENU).all():
        yield from to_toml({"menu": [*menu]})
    for author in session.scalars(sa.select(Author).order_by(Author.id)):
        facts = {"name": author.name, "slug": author.slug}
        facts |= {"bio": author.bio_markdown, "url": author.url}
        yield "\n[[authors]]\n" + _table(_non_empty(facts))
    for topic in session.scalars(sa.select(Topic).order_by(Topic.id)):
        facts = {"name": topic.name, "slug": topic.slug, "description": topic.description}
        yield "\n[[topics]]\n" + _table(_non_empty(facts))
    fixed = sa.select(Redirect.source, Redirect.target).where(Redirect.target.is_not(None))
    if rows := session.execute(fixed.order_by(Redirect.source)).all():
        yield "\n[redirects]\n"
        for old, new in rows:
            yield f"{text_to_toml(to_url(old))} = {text_to_toml(new or '')}\n"


def _settings(session: Session, root: Path, site: Site) -> Iterator[tuple[str, Any]]:
    """Yield the settings that differ from their defaults, and the texts that every site has."""
    for column, setting in BY_COLUMN.items():
        value = getattr(site, column)
        if setting.kind is not Kind.IMAGE:
            is_default = value == setting.default or value == [*_list(setting.default)]
            if setting.name in _ALWAYS or not is_default:
                yield setting.name, value
        elif value is not None:
            media = session.get_one(Media, value)
            path = f"site/{setting.name}/{media.name}"
            _write_content(session, root / path, media)
            yield setting.name, path


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, tuple) else ()


def _non_empty(facts: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    return ((name, value) for name, value in facts.items() if value)


def _table(facts: Iterable[tuple[str, Value]]) -> str:
    return "".join(f"{name} = {_toml(value)}\n" for name, value in facts)


def _toml(value: Value) -> str:
    """A value as TOML spells it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, list):
        return f"[{', '.join(map(text_to_toml, value))}]"
    return text_to_toml(value) if isinstance(value, str) else str(value)
