"""Safe YAML in which scalars stay text, but for the types that a reader asks for."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

NULL = {"null": ("~|null|Null|NULL|", ["~", "n", "N", ""]), "merge": ("<<", ["<"])}
"""Empty values and merge keys: what every reader of YAML needs."""

SIMPLE = NULL | {
    "bool": ("true|True|TRUE|false|False|FALSE", list("tTfF")),
    "int": ("[-+]?(?:0|[1-9][0-9]*)", list("-+0123456789")),
}
"""Those of YAML 1.2 whose meaning is plain; `no`, `007` and `12:30:45` stay texts."""


def make_loader(types: Mapping[str, tuple[str, list[str]]]) -> type[yaml.SafeLoader]:
    """Return a loader that knows these types: each has a pattern and its first characters."""

    class TextLoader(yaml.SafeLoader):
        """Safe YAML with these types alone."""

    TextLoader.yaml_implicit_resolvers = {}
    for tag, (pattern, first) in types.items():
        TextLoader.add_implicit_resolver(
            f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), first
        )
    return TextLoader
