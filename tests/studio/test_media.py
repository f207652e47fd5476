"""The library of images: upload, list, search, and where an image is used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from PIL import Image
from werkzeug.datastructures import FileStorage, MultiDict
from werkzeug.test import TestResponse, encode_multipart

from app.extensions import db
from app.publishing import actions
from app.publishing.actions import Draft
from app.publishing.images import MAX_BYTES
from app.publishing.models import Kind, Media, Role
from app.publishing.permissions import SYSTEM, Actor
from app.publishing.queries import media_library
from app.studio import csrf
from app.studio.media import hold_slot
from app.studio.roles import UPLOAD_BYTES

from .people import SAME_ORIGIN, Browser, add_person, sign_in
from .writing import NOW, begin, read_public, save

HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic"


def png(colour: str = "red", size: tuple[int, int] = (60, 40)) -> bytes:
    """Return a small PNG."""
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def browser(app: Flask) -> Browser:
    """The browser of an editor."""
    return sign_in(app, add_person(Role.EDITOR))


def send(browser: Browser, *files: tuple[bytes, str], **options: Any) -> TestResponse:
    """Send the form with these files."""
    parts = [FileStorage(BytesIO(data), name) for data, name in files]
    boundary, body = encode_multipart(MultiDict({"csrf": [browser.csrf], "files": parts}))
    options = {"headers": SAME_ORIGIN, **options}
    content_type = f"multipart/form-data; boundary={boundary}"
    return browser.client.post("/studio/media", data=body, content_type=content_type, **options)


def send_as_script(browser: Browser, *files: tuple[bytes, str]) -> TestResponse:
    """Send files as the editor's script does."""
    headers = {**SAME_ORIGIN, csrf.HEADER: browser.csrf, "Accept": "application/json"}
    return send(browser, *files, headers=headers)


def count_images() -> int:
    """Return the number of stored images."""
    db.session.remove()
    return db.session.scalar(sa.select(sa.func.count()).select_from(Media)) or 0


def names(browser: Browser, query: str = "") -> list[str]:
    """Return the names of the images in the library."""
    page = browser.get(f"/studio/media{query}")
    assert page.status_code == 200
    return re.findall(r'<img src="[^"]+" width="\d+" height="\d+" alt="([^"]+)"', page.text)


def test_a_form_stores_several_images(browser: Browser) -> None:
    """The response redirects to the library, which lists them, the newest first."""
    answer = send(browser, (png("red"), "One photo.png"), (png("blue"), "two.jpeg"))
    assert (answer.status_code, answer.location) == (303, "/studio/media?stored=2")
    assert names(browser, "?stored=2") == ["two.png", "one-photo.png"]
    assert "2 images are stored." in browser.get("/studio/media?stored=2").text


def test_a_script_gets_the_markdown_of_each_image(browser: Browser) -> None:
    """With its address, which is served, and its size."""
    answer = send_as_script(browser, (png(), "Sea.png"))
    assert answer.status_code == 201
    (image,) = answer.get_json()["images"]
    assert re.fullmatch(r"/media/[0-9a-f]{20}/sea\.png", image["address"])
    assert image["markdown"] == f"![Describe this image]({image['address']})"
    assert (image["name"], image["width"], image["height"]) == ("sea.png", 60, 40)
    served = read_public(browser, image["address"])
    assert (served.status_code, served.content_type) == (200, "image/png")


def test_the_type_is_found_by_content(browser: Browser) -> None:
    """The name and the declared type of a file decide nothing."""
    answer = send_as_script(browser, (b"<html><script>alert(1)</script>", "photo.png"))
    assert answer.status_code == 422
    (refused,) = answer.get_json()["refused"]
    assert refused["name"] == "photo.png"
    assert "none of JPEG, PNG" in refused["message"]
    assert count_images() == 0


def test_a_heic_photo_gets_a_sentence_that_says_what_to_do(browser: Browser) -> None:
    """In the page without scripts as well."""
    answer = send(browser, (HEIC, "IMG_1.HEIC"))
    assert answer.status_code == 422
    assert "IMG_1.HEIC" in answer.text
    assert "export it as JPEG" in answer.text


def test_one_refused_file_does_not_lose_the_others(browser: Browser) -> None:
    """The good ones are stored; the bad one is named."""
    answer = send(browser, (png(), "good.png"), (b"text", "<b>bad.txt"))
    assert answer.status_code == 422
    assert "&lt;b&gt;bad.txt" in answer.text
    assert "1 image is stored." in answer.text
    assert names(browser) == ["good.png"]


def test_a_form_without_a_file_is_refused(browser: Browser) -> None:
    """With a sentence that says what is missing."""
    answer = send(browser)
    assert answer.status_code == 422
    assert "Choose one or more images." in answer.text


def test_an_upload_has_a_limit_of_its_own(app: Flask, browser: Browser) -> None:
    """More than 20 MiB and 64 KiB gets 413 from a form and from a script; 5 MiB do not."""
    app.testing = False
    assert UPLOAD_BYTES == 20 * 1024 * 1024 + 64 * 1024
    large = b"\x89PNG" + bytes(MAX_BYTES + 64 * 1024)
    assert send(browser, (large, "large.png")).status_code == 413
    answer = send_as_script(browser, (large, "large.png"))
    assert (answer.status_code, answer.is_json) == (413, True)
    assert answer.headers["Cache-Control"] == "private, no-store"
    answer = send_as_script(browser, (bytes(5 * 1024 * 1024), "five.png"))
    assert answer.status_code == 422
    answer = send_as_script(browser, (bytes(MAX_BYTES + 1), "one-more.png"))
    assert answer.status_code == 422
    assert "20 MiB" in answer.get_json()["refused"][0]["message"]


def test_a_second_upload_does_not_wait(browser: Browser) -> None:
    """It gets 503 with Retry-After, stores nothing, and works when the first one has ended."""
    with hold_slot():
        answer = send_as_script(browser, (png(), "a.png"))
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert "again in a few seconds" in answer.get_json()["message"]
        assert send(browser, (png(), "a.png")).status_code == 503
    assert count_images() == 0
    send(browser, (b"damaged", "b.png"))
    assert send_as_script(browser, (png(), "a.png")).status_code == 201


def test_an_upload_needs_a_session_and_its_token(app: Flask, browser: Browser) -> None:
    """Without them nothing is stored, and a script reads why."""
    other = Browser(client=app.test_client(), token=browser.token)
    assert send_as_script(other, (png(), "a.png")).status_code == 401
    wrong = Browser(client=browser.client, token="another")
    assert send_as_script(wrong, (png(), "a.png")).status_code == 403
    assert count_images() == 0


def add_images(*image_names: str) -> list[Media]:
    """Store an image of another colour for each name."""
    return [
        actions.add_media(png(size=(10 + number, 10)), name, now=NOW, actor=SYSTEM)
        for number, name in enumerate(image_names)
    ]


def test_the_library_is_searched_by_name(browser: Browser) -> None:
    """By all words, in any case; wildcards mean themselves."""
    add_images("red-house.png", "red-sea.png", "blue-sea.png")
    assert names(browser, "?q=SEA") == ["blue-sea.png", "red-sea.png"]
    assert names(browser, "?q=sea+red") == ["red-sea.png"]
    assert names(browser, "?q=%25") == []
    assert "No image matches." in browser.get("/studio/media?q=%25").text


def test_the_library_has_pages(browser: Browser) -> None:
    """Each image is on exactly one of them; a page number that is none is the first."""
    add_images(*(f"image-{number}.png" for number in range(media_library.PAGE_SIZE + 1)))
    first, second = names(browser), names(browser, "?page=2")
    assert (len(first), second) == (media_library.PAGE_SIZE, ["image-0.png"])
    assert 'rel="next" href="/studio/media?page=2"' in browser.get("/studio/media").text
    assert names(browser, "?page=-1") == names(browser, "?page=x") == first


def uses(actor: Actor) -> dict[str, tuple[Sequence[str], int]]:
    """Return for each image the titles of the texts that show it, and how many are hidden."""
    db.session.remove()
    page = media_library.load_page("", 1, actor)
    return {
        image.media.name: (sorted(use.title for use in image.uses), image.hidden_uses)
        for image in page.images
    }


def test_each_image_shows_where_it_is_used(any_app: Flask) -> None:
    """In the text or as the cover of a post, and in working copies; hidden texts are counted."""
    images = add_images("text.png", "cover.png", "copy.png", "unused.png")
    path = next(file.path for file in images[0].files if file.original)
    other = next(file.path for file in images[2].files if file.original)
    cover_id = images[1].id
    writer = add_person(Role.WRITER, name="Wil")
    editor = add_person(Role.EDITOR)
    public = actions.create(
        Draft(title="Public", body_markdown=f"![]({path})"), now=NOW, actor=SYSTEM
    )
    actions.publish(public.id, expected_version=public.version, now=NOW, actor=SYSTEM)
    hidden = Draft(title="Hidden", body_markdown=f"![]({path})", cover_id=cover_id)
    actions.create(hidden, now=NOW, actor=editor)
    own = Draft(title="Own", body_markdown="", cover_id=cover_id)
    actions.create(own, now=NOW, actor=writer)
    copy_fields = actions.CopyFields(title="Copy", body_markdown=f"![]({other})")
    actions.create_copy(Kind.ARTICLE, copy_fields, now=NOW, actor=editor)
    assert uses(editor) == {
        "text.png": (["Hidden", "Public"], 0),
        "cover.png": (["Hidden", "Own"], 0),
        "copy.png": (["Copy"], 0),
        "unused.png": ([], 0),
    }
    assert uses(writer) == {
        "text.png": (["Public"], 1),
        "cover.png": (["Own"], 1),
        "copy.png": ([], 1),
        "unused.png": ([], 0),
    }


def test_the_library_links_to_the_texts(app: Flask, browser: Browser) -> None:
    """To a post, to a working copy, and for a writer to the public page of another's post."""
    (media,) = add_images("a.png")
    path = next(file.path for file in media.files if file.original)
    post = actions.create(
        Draft(title="A <post>", body_markdown=f"![]({path})"), now=NOW, actor=SYSTEM
    )
    actions.publish(post.id, expected_version=post.version, now=NOW, actor=SYSTEM)
    post_id, public = post.id, post.path
    copy_id = begin(browser)
    save(browser, copy_id, title="Mine", body_markdown=f"![]({path})")
    page = browser.get("/studio/media").text
    assert "Used in 2 texts" in page
    assert f'<a href="/studio/posts/{post_id}" dir="auto">A &lt;post&gt;</a>' in page
    assert f'<a href="/studio/copies/{copy_id}" dir="auto">Mine</a>' in page
    page = sign_in(app, add_person(Role.WRITER)).get("/studio/media").text
    assert f'<a href="{public}" dir="auto">A &lt;post&gt;</a>' in page
    assert "Mine" not in page
    assert "1 of other writers" in page


def test_the_library_loads_no_bytes_of_images(browser: Browser) -> None:
    """Of the files it reads names and sizes only."""
    add_images("a.png")
    statements: list[str] = []

    def note(*event: Any) -> None:
        statements.append(event[2])

    sa.event.listen(db.engine, "before_cursor_execute", note)
    browser.get("/studio/media")
    sa.event.remove(db.engine, "before_cursor_execute", note)
    assert [line for line in statements if "media_file.content " in line] == []
    assert any("FROM media_file" in line for line in statements)
