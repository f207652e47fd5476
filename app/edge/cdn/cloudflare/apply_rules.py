"""Write the generated Cache Rules into a Cloudflare zone and leave all other rules alone.

Read, show the diff, ask, check that the version is unchanged, write.
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
    """The rules of the zone's cache phase; an empty `version` means that it has none yet."""

    version: str = ""
    rules: tuple[CacheRule, ...] = ()

    @property
    def managed_rules(self) -> list[CacheRule]:
        """The rules that an earlier run wrote."""
        return [rule for rule in self.rules if _is_managed(rule)]

    def replace_managed(self, rules: Iterable[CacheRule]) -> list[CacheRule]:
        """Return the whole list, with the managed rules replaced by these.

        In a zone without managed rules they come first, so that other rules take precedence.
        """
        foreign = [_writable(rule) for rule in self.rules if not _is_managed(rule)]
        before = next((n for n, rule in enumerate(self.rules) if _is_managed(rule)), 0)
        return [*foreign[:before], *rules, *foreign[before:]]


@dataclass(frozen=True, slots=True, kw_only=True)
class RulesetChange:
    """The current list of rules, and the whole list to write."""

    current: Ruleset
    rules: tuple[CacheRule, ...]

    @property
    def difference(self) -> str:
        """A diff of the managed rules; empty if nothing changes."""
        managed_rules = [rule for rule in self.rules if _is_managed(rule)]
        old, new = _lines(self.current.managed_rules), _lines(managed_rules)
        return "".join(unified_diff(old, new, "the zone", "the app"))

    @property
    def other_rule_names(self) -> list[str]:
        """The names of the rules that stay unchanged."""
        foreign = (rule for rule in self.rules if not _is_managed(rule))
        return [str(rule.get("description") or rule.get("id") or "?") for rule in foreign]


class ZoneRules:
    """Client for the Cache Rules of one zone; raises PurgeError with a message without secrets."""

    def __init__(self, api: ApiClient, zone: str) -> None:
        self._api = api
        self._path = f"/zones/{zone}/rulesets/phases/{PHASE}/entrypoint"

    def plan_change(self, managed_rules: Iterable[CacheRule]) -> RulesetChange:
        """Read the zone's rules, and let Cloudflare validate the new list without applying it."""
        current = self._fetch_ruleset()
        change = RulesetChange(current=current, rules=tuple(current.replace_managed(managed_rules)))
        if change.difference:
            self._write(change, "?dry_run=true")
        return change

    def apply(self, change: RulesetChange) -> None:
        """Write the list, unless it has been changed since it was read."""
        if self._fetch_ruleset().version != change.current.version:
            raise self._api.purge_error(
                "the rules of the zone were changed after they were read: run the command again",
                retryable=False,
            )
        before, after = change.current.version, self._write(change, "")
        if before.isdecimal() and after.isdecimal() and int(after) > int(before) + 1:
            raise self._api.purge_error(
                "another change of the rules at the same time was overwritten: compare "
                f"version {int(after) - 1} of the zone's rules with version {after}",
                retryable=False,
            )

    def _fetch_ruleset(self) -> Ruleset:
        response = self._api.send_json("GET", self._path)
        if response.status == _MISSING:
            # The zone has no rules of this phase, or another account owns it and writing will fail.
            return Ruleset()
        result = self._result(response)
        rules = result.get("rules") or []
        if not isinstance(rules, list) or not all(isinstance(rule, dict) for rule in rules):
            raise self._api.purge_error("the response contains no list of rules")
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
