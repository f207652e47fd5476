"""Applying: our Cache Rules into a zone at Cloudflare, and nobody else's touched.

Read, compare, let a person decide, look whether anybody wrote meanwhile, write.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import unified_diff
from typing import Any

from ..api_client import ApiClient, ApiResponse
from ..base import PurgeError
from .cache_rules import PHASE, REF_PREFIX, CacheRule

ADDRESS = "https://api.cloudflare.com/client/v4"
HINT = "give the token the permission Cache Settings: Edit (or Cache Rules: Edit) for the zone"
_READ_ONLY = frozenset({"version", "last_updated"})
_MISSING = 404


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruleset:
    """The rules of a zone's phase as they were read; without a `version` there are none yet."""

    version: str = ""
    rules: tuple[CacheRule, ...] = ()

    @property
    def managed_rules(self) -> list[CacheRule]:
        """What an earlier run has made."""
        return [rule for rule in self.rules if _is_managed(rule)]

    def replace_managed(self, rules: Iterable[CacheRule]) -> list[CacheRule]:
        """The whole list with these in the place of ours.

        New ones come first, so that a rule that somebody made by hand outranks them.
        """
        foreign = [_writable(rule) for rule in self.rules if not _is_managed(rule)]
        before = next((n for n, rule in enumerate(self.rules) if _is_managed(rule)), 0)
        return [*foreign[:before], *rules, *foreign[before:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetChange:
    """What applying would do: the list as it was read, and the whole list to be written."""

    current: Ruleset
    rules: tuple[CacheRule, ...]

    @property
    def difference(self) -> str:
        """The lines of our rules that would change; empty when none would."""
        managed_rules = [rule for rule in self.rules if _is_managed(rule)]
        old, new = _lines(self.current.managed_rules), _lines(managed_rules)
        return "".join(unified_diff(old, new, "the zone", "the app"))

    @property
    def other_rule_names(self) -> list[str]:
        """What the rules of others are called."""
        foreign = (rule for rule in self.rules if not _is_managed(rule))
        return [str(rule.get("description") or rule.get("id") or "?") for rule in foreign]


class ZoneRules:
    """The Cache Rules of one zone; raises PurgeError in a sentence that names no secret."""

    def __init__(self, api: ApiClient, zone: str) -> None:
        self._api = api
        self._path = f"/zones/{zone}/rulesets/phases/{PHASE}/entrypoint"

    def plan_change(self, managed_rules: Iterable[CacheRule]) -> RulesetChange:
        """Read the zone's rules, and let Cloudflare look at the new list without taking it."""
        current = self._fetch_ruleset()
        change = RulesetChange(current=current, rules=tuple(current.replace_managed(managed_rules)))
        if change.difference:
            self._write(change, "?dry_run=true")
        return change

    def apply(self, change: RulesetChange) -> None:
        """Write the list, unless anybody has written another one since it was read."""
        if self._fetch_ruleset().version != change.current.version:
            raise self._api.purge_error(
                "somebody changed the rules of the zone meanwhile: run the command once more",
                retryable=False,
            )
        before, after = change.current.version, self._write(change, "")
        if before.isdecimal() and after.isdecimal() and int(after) > int(before) + 1:
            raise self._api.purge_error(
                "somebody changed the rules in the same moment, and their change is lost: compare "
                f"version {int(after) - 1} of the zone's rules with version {after}",
                retryable=False,
            )

    def _fetch_ruleset(self) -> Ruleset:
        response = self._api.send_json("GET", self._path)
        if response.status == _MISSING:
            # The zone has no rules of this phase, or it is not ours: writing tells.
            return Ruleset()
        result = self._result(response)
        rules = result.get("rules") or []
        if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
            raise self._api.purge_error("its answer has no list of rules in it")
        return Ruleset(version=str(result.get("version", "")), rules=tuple(rules))

    def _write(self, change: RulesetChange, query: str) -> str:
        payload = {"rules": list(change.rules)}
        result = self._result(self._api.send_json("PUT", self._path + query, payload))
        return str(result.get("version", ""))

    def _result(self, response: ApiResponse) -> dict[str, Any]:
        document = self._api.require_json(response)
        if response.status >= 400 or document.get("success") is not True:  # noqa: PLR2004 - RFC 9110 section 15.5
            raise self._error_for(response, document)
        result = document.get("result")
        return result if isinstance(result, dict) else {}

    def _error_for(self, response: ApiResponse, document: Mapping[str, Any]) -> PurgeError:
        errors = document.get("errors")
        listed = errors if isinstance(errors, list) else []
        vendor_message = "; ".join(
            str(entry.get("message", "")) for entry in listed if isinstance(entry, dict)
        )
        if response.status == _MISSING:
            vendor_message = (
                f"{vendor_message or 'not found'}: "
                "is EDGE_CLOUDFLARE_ZONE the ID of a zone of yours?"
            )
        return self._api.status_error(response, vendor_message, hint=HINT)


def _is_managed(rule: Mapping[str, Any]) -> bool:
    return str(rule.get("ref", "")).startswith(REF_PREFIX)


def _writable(rule: CacheRule) -> CacheRule:
    return {name: value for name, value in rule.items() if name not in _READ_ONLY}


def _lines(rules: Iterable[CacheRule]) -> list[str]:
    visible_rules = [
        {name: value for name, value in rule.items() if name not in {*_READ_ONLY, "id"}}
        for rule in rules
    ]
    return (
        json.dumps(visible_rules, indent=2, sort_keys=True).splitlines(keepends=True)
        if visible_rules
        else []
    )
