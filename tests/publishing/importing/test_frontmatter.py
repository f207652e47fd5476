"""Front matter is taken apart exactly, and its errors name the line of the file."""

import time
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.publishing.importing.frontmatter import FrontMatterError, split


@pytest.mark.parametrize(
    ("text", "kind", "values", "body", "offset"),
    [
        ("---\ntitle: a\n---\nbody\n", "yaml", {"title": "a"}, "body\n", 3),
        ("+++\ntitle = 'a'\n+++\nbody", "toml", {"title": "a"}, "body", 3),
        ('{\n"title": "a"\n}\nbody', "json", {"title": "a"}, "body", 3),
        ("\ufeff---\r\ntitle: a\r\n---\r\nbody", "yaml", {"title": "a"}, "body", 3),
        ("---\ntitle: a\n...\nbody", "yaml", {"title": "a"}, "body", 3),
        ("---  \n---\nbody", "yaml", {}, "body", 2),
        ("# no front matter\n---\n", "none", {}, "# no front matter\n---\n", 0),
        ("----\na", "none", {}, "----\na", 0),
        ("---\na: 1\n---\nb\n---\nc", "yaml", {"a": "1"}, "b\n---\nc", 3),
        ("", "none", {}, "", 0),
        ("---\n1: a\n---", "yaml", {"1": "a"}, "", 3),
        ("---\nd: 2019-02-31\n---", "yaml", {"d": "2019-02-31"}, "", 3),
    ],
    ids=range(12),
)
def test_a_file_is_taken_apart(
    text: str, kind: str, values: dict[str, object], body: str, offset: int
) -> None:
    """Each kind of front matter gives its values, and the body from the line below."""
    document = split(text)
    assert (document.kind, document.values, document.body) == (kind, values, body)
    assert document.offset == offset


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("---\ntitle: a\n", 1, "never closes"),
        ("+++\ntitle = 'a'\n---\n", 1, "never closes"),
        ("---\na: b\nc: [\n---\n", 3, "YAML is broken"),
        ("---\na: b: c\n---\n", 2, "YAML is broken"),
        ("---\na: \x00\n---\n", 2, "YAML is broken"),
        ("---\n- a\n---\n", 1, "not a list of keys"),
        ("---\na: !!python/object:os.system x\n---\n", 2, "YAML is broken"),
        ("---\na: &x [1]\nb: *x\n---\n", 3, "aliases"),
        ("+++\ntitle = 'a'\nbroken\n+++\n", 3, "TOML is broken"),
        ("+++\na = 1\na = 2\n+++\n", 3, "TOML is broken"),
        ('{\n"a": 1,\n"b" 2}\n', 3, "JSON"),
        ("---\na: " + "[" * 30 + "]" * 30 + "\n---", 2, "nests more than 20"),
        ("+++\na = " + "[" * 30 + "]" * 30 + "\n+++", 1, "nests too deep"),
        ("---\na: " + "[" * 60_000 + "\n---", 2, "nests more than 20"),
        ("---\n" + "- " * 30_000 + "\n---", 2, "nests more than 20"),
        ("+++\na = " + "[" * 5000 + "\n+++", 1, "TOML is broken"),
        ("+++\na = " + "9" * 5000 + "\n+++", 1, "TOML is broken"),
        ('{"a": ' + "9" * 5000 + "}", 1, "JSON"),
        ('{"a": ' + "[" * 100_000, 1, "JSON"),
        ("---\na: [" + "1," * 6000 + "]\n---", 1, "too many values"),
        ("---\n# " + "a" * 70_000 + "\n---", 1, "larger than 64 KiB"),
    ],
    ids=range(21),
)
def test_what_is_broken_is_named_with_its_line(text: str, line: int, reason: str) -> None:
    """The line counts from the top of the file."""
    with pytest.raises(FrontMatterError, match=reason) as raised:
        split(text)
    assert raised.value.line == line


def test_a_yaml_bomb_is_refused_at_once() -> None:
    """Nine lines of aliases would be a billion values."""
    layers = [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    started = time.process_time()
    with pytest.raises(FrontMatterError, match="aliases"):
        split("---\na0: &a0 [x]\n" + "\n".join(layers) + "\n---\n")
    assert time.process_time() - started < 1


def test_a_key_knows_its_line() -> None:
    """Errors found later can still name the line."""
    document = split("---\ntitle: a\n\ndate: b\n---\n")
    assert document.line_of("date") == 4
    assert document.line_of("title") == 2
    assert document.line_of("absent") == 1


@given(st.text(max_size=300), st.sampled_from(["---\n", "+++\n", "{", ""]))
def test_any_file_is_taken_apart_or_refused(text: str, start: str) -> None:
    """Nothing but `FrontMatterError` comes out of a broken file."""
    with suppress(FrontMatterError):
        document = split(start + text)
        assert document.body in (start + text).replace("\r\n", "\n").replace("\r", "\n")


def test_an_alias_may_repeat_a_short_text() -> None:
    """Docsy's pages write `language: &lang Java`; such a file, and its folder, were held back."""
    text = "---\nlanguage: &lang Java\ntitle: *lang\nlist: [*lang, &t !!str 7, *t]\n---\n"
    values = split(text).values
    assert values == {"language": "Java", "title": "Java", "list": ["Java", "7", "7"]}


@pytest.mark.parametrize(
    "front",
    ["a: &x [1]\nb: *x", "a: &x {b: 1}\nc: *x", "a: &x b\nc: &x [1]\nd: *x", f"a: &x {'y' * 501}\nb: *x"],
)  # fmt: skip
def test_an_alias_of_anything_larger_is_refused(front: str) -> None:
    """Few of them make many values."""
    with pytest.raises(FrontMatterError, match="aliases"):
        split(f"---\n{front}\n---\n")
