"""The command `flask content site`: show the settings of the site, or change them.

Its options are made from the table of settings.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click
import sqlalchemy as sa

from app.extensions import db

from .actions.add_media import add_site_image
from .actions.arrange_menu import arrange_menu
from .actions.change_site import change_site, current_columns
from .editing.rendering import find_typography
from .editing.site_values import parse_link, shown_value
from .errors import Invalid
from .images import MAX_BYTES
from .models import Kind as PostKind
from .models import Media, Post, Site
from .permissions import SYSTEM
from .site_settings import BY_NAME, LISTS, SETTINGS, Kind, SiteSetting
from .terminal import in_one_sentence, printable

Command = TypeVar("Command", bound=Callable[..., Any])


def with_options(command: Command) -> Command:
    """Add an option for each setting; one of a list may be given several times."""
    for setting in reversed(SETTINGS):
        command = _option(setting)(command)
    return command


def _option(setting: SiteSetting) -> Callable[[Command], Command]:
    dashed = setting.name.replace("_", "-")
    if setting.kind is Kind.SWITCH:
        return click.option(f"--{dashed}/--no-{dashed}", default=None, help=setting.help)
    if setting.kind is Kind.NUMBER:
        return click.option(f"--{dashed}", type=int, help=setting.help)
    if setting.kind in LISTS:
        again = " Repeat the option for each one; an empty text removes all."
        return click.option(f"--{dashed}", multiple=True, help=setting.help + again)
    return click.option(f"--{dashed}", help=setting.help)


def run(options: Mapping[str, Any], *, as_json: bool) -> None:
    """Save the options that are given, then print all settings."""
    given = {name: value for name, value in options.items() if value is not None and value != ()}
    with in_one_sentence():
        before = find_typography(db.session(), None)
        menu = given.pop("menu", None)
        columns = dict(_to_columns(given))
        if menu is not None:
            arrange_menu([slug for slug in menu if slug], actor=SYSTEM)
        if columns:
            change_site(columns, actor=SYSTEM)
        values = dict(current_values())
        click.echo(json.dumps(values, indent=2) if as_json else "\n".join(_lines(values)))
        if not as_json and find_typography(db.session(), None).rules != before.rules:
            click.echo("Run `flask content render`: it renders the posts with the new settings.")


def _to_columns(given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in given.items():
        setting = BY_NAME[name]
        if setting.kind is Kind.IMAGE:
            yield setting.column, _image(name, value)
        elif setting.kind is Kind.LINKS:
            yield setting.column, [parse_link(one) for one in value if one]
        elif setting.kind is Kind.URLS:
            yield setting.column, [one for one in value if one]
        else:
            yield setting.column, value


def _image(name: str, path: str) -> int | None:
    """Store the image of this file, and return its row; None for an empty path."""
    if not path:
        return None
    file = Path(path)
    try:
        if file.stat().st_size > MAX_BYTES:
            raise Invalid(name, f"{path} is larger than {MAX_BYTES // 2**20} MB; make it smaller.")
        content = file.read_bytes()
    except OSError as error:
        raise Invalid(name, f"{path} can't be read ({error.strerror}); name an image.") from None
    return add_site_image(name, content, file.name, now=datetime.now(UTC), actor=SYSTEM)


def current_values() -> Iterator[tuple[str, Any]]:
    """Yield each setting with its value as JSON has it; an image by the name of its file."""
    columns = current_columns(db.session.scalar(sa.select(Site)))
    for setting in SETTINGS:
        if setting.kind is Kind.SLUGS:
            yield setting.name, _menu()
        elif setting.kind is Kind.IMAGE:
            media_id = columns[setting.column]
            media = db.session.get(Media, media_id) if media_id is not None else None
            yield setting.name, media.name if media else None
        else:
            value = columns[setting.column]
            yield setting.name, [*value] if isinstance(value, tuple) else value


def _menu() -> list[str]:
    in_menu = (Post.kind == PostKind.PAGE, Post.menu_position.is_not(None))
    statement = sa.select(Post.slug).where(*in_menu).order_by(Post.menu_position, Post.slug)
    return [*db.session.scalars(statement)]


def _lines(values: Mapping[str, Any]) -> Iterator[str]:
    for name, value in values.items():
        yield f"{name}: {printable(shown_value(BY_NAME[name], value))}"
