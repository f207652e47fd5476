"""Terraform: Cache Rules as the resource `cloudflare_ruleset` of the provider's version 5."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ...name import IDENTIFIER, TITLE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .cache_rules import CacheRule

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_HEAD = f"""\
# Made from the routes of the app by `flask edge config cloudflare --terraform`.
# For the provider cloudflare/cloudflare, version 5. A zone has one ruleset of this phase: if you
# have Cache Rules of your own, add them to the list behind these, or Terraform removes them.
variable "zone_id" {{
  type = string
}}

resource "cloudflare_ruleset" "{IDENTIFIER}" {{
  zone_id = var.zone_id
  name    = "{TITLE}"
  kind    = "zone"
  phase   = "http_request_cache_settings"
  rules   = """


def terraform_hcl(rules: Iterable[CacheRule]) -> str:
    """Return the rules as a Terraform file."""
    return f"{_HEAD}{_to_hcl(list(rules), 1)}\n}}\n"


def _to_hcl(value: Any, depth: int) -> str:
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, dict):
        width = max(map(len, value), default=0)
        lines = "".join(
            f"{inner}{_key(name):<{width}} = {_to_hcl(item, depth + 1)}\n"
            for name, item in value.items()
        )
        return f"{{\n{lines}{outer}}}"
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        lines = "".join(f"{inner}{_to_hcl(item, depth + 1)},\n" for item in value)
        return f"[\n{lines}{outer}]"
    if isinstance(value, list):
        return f"[{', '.join(_to_hcl(item, depth) for item in value)}]"
    # A JSON string is a valid HCL string, except for the two sequences that begin a template.
    return re.sub(r"([$%])\{", r"\1\1{", json.dumps(value, ensure_ascii=False))


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else json.dumps(name)
