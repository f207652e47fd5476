"""The library's API reference, made from the signatures and the docstrings of the public names.

`python -m tests.edge.api_reference` writes it into `docs/library/reference.md`.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from dataclasses import MISSING, fields, is_dataclass
from importlib import import_module
from types import FunctionType, ModuleType
from typing import Any

import app.edge

from .library_copy import NAME, ROOT
from .public_names import MODULES, docstring_of, kind_of, public_names

PAGE = ROOT / "docs/library/reference.md"

INTRODUCTION = f"""# API reference

The public names of each module with their parameters and their whole docstrings. The
[table of names](names.md) lists them with one sentence each. A name that is importable from several modules is described at
the first one. `python -m tests.edge.api_reference` writes this page.

Import the library as `{NAME}`.
"""

_MAX_LINE = 100

_STARS: dict[Any, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}

_SECTIONS = re.compile(r"^(Args|Attributes|Raises|Returns|Yields):$", re.MULTILINE)


def format_reference() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    described: set[int] = set()
    for short in MODULES:
        module = import_module(f"{app.edge.__name__}.{short}".rstrip("."))
        parts.append(f"## `{f'{NAME}.{short}'.rstrip('.')}`\n\n{format_text(module.__doc__ or '')}")
        for name in public_names(module):
            value = getattr(module, name)
            is_new = kind_of(value) == "value" or id(value) not in described
            described.add(id(value))
            parts += format_name(module, name) if is_new else ()
    return "\n\n".join(part.strip() for part in parts) + "\n"


def format_name(module: ModuleType, name: str) -> Iterator[str]:
    """Yield the description of a name, and of the public methods of a class."""
    value = getattr(module, name)
    kind = kind_of(value)
    yield f"### {kind} `{name}`"
    if kind == "function":
        yield format_signature(name, value)
    elif is_dataclass(value):
        yield format_fields(name, value)
    elif kind == "class" and isinstance(vars(value).get("__init__"), FunctionType):
        yield format_signature(name, value.__init__)
    yield format_text(docstring_of(module, name))
    for method, member in vars(value).items() if inspect.isclass(value) else ():
        text = format_member(name, method, member)
        if text and not method.startswith("_"):
            yield text


def format_member(owner: str, name: str, member: Any) -> str:
    """Return a method or a property with its docstring; empty for anything else."""
    if isinstance(member, property):
        return f"#### `{owner}.{name}`\n\n{format_text(member.__doc__ or '')}"
    function = getattr(member, "__func__", member)
    if not isinstance(function, FunctionType):
        return ""
    signature = format_signature(name, function)
    return f"#### `{owner}.{name}()`\n\n{signature}\n\n{format_text(function.__doc__ or '')}"


def format_signature(name: str, function: Any) -> str:
    """Return the parameters of a function, one a line if they are many."""
    signature = inspect.signature(function)
    parts: list[str] = []
    for one in signature.parameters.values():
        if one.name in {"self", "cls"}:
            continue
        if one.kind is one.KEYWORD_ONLY and "*" not in parts:
            parts.append("*")
        parts.append(format_parameter(one))
    line = f"{name}({', '.join(parts)})"
    if len(line) > _MAX_LINE:
        line = "\n".join([f"{name}(", *(f"    {part}," for part in parts), ")"])
    returned = signature.return_annotation
    return f"```py\n{line}{'' if returned is signature.empty else f' -> {returned}'}\n```"


def format_parameter(parameter: inspect.Parameter) -> str:
    """Return a parameter with its annotation, and its default if that is a plain value."""
    stars = _STARS.get(parameter.kind, "")
    annotation = "" if parameter.annotation is parameter.empty else f": {parameter.annotation}"
    if parameter.default is parameter.empty:
        return f"{stars}{parameter.name}{annotation}"
    is_plain = parameter.default is None or isinstance(parameter.default, str | int | tuple)
    return f"{parameter.name}{annotation} = {repr(parameter.default) if is_plain else '…'}"


def format_fields(name: str, kind: Any) -> str:
    """Return the fields of a dataclass that its constructor takes."""
    lines = [
        f"    {field.name}: {field.type}{'' if _is_required(field) else ' = …'},"
        for field in fields(kind)
        if field.init and not field.name.startswith("_")
    ]
    return "\n".join(["```py", f"{name}(", *lines, ")", "```"])


def format_text(docstring: str) -> str:
    """Return a docstring as Markdown: its sections become lists."""
    before, *sections = _SECTIONS.split(inspect.cleandoc(docstring))
    parts = [before.strip()]
    for title, body in zip(sections[::2], sections[1::2], strict=True):
        items, _, rest = inspect.cleandoc(body.strip("\n") + "\n").partition("\n\n")
        if title in {"Returns", "Yields"}:
            listed = items
        else:
            listed = re.sub(r"^(\w[\w.*]*): ", r"- `\1`: ", items, flags=re.MULTILINE)
            listed = re.sub(r"\n    +", "\n  ", listed)
        parts += [f"{title}:", listed, rest.strip()]
    return "\n\n".join(part for part in parts if part)


def _is_required(field: Any) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


if __name__ == "__main__":
    PAGE.write_text(format_reference(), encoding="utf-8")
