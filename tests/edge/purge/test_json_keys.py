"""The JSON keys of `flask edge status`: programs read them, so they stay when attributes change."""

from __future__ import annotations

from datetime import timedelta

from app.edge.pages.precision import Precision
from app.edge.purge.samples import StaleSample
from app.edge.purge.status import DeadLetter, PurgeStatus, TierStatus

from .conftest import NOW


def test_the_purge_status_keeps_its_json_keys() -> None:
    """Keys of the whole, of a tier, of a dead letter, and of a stale sample."""
    letter = DeadLetter(id=1, url="/a", error="400", died=NOW)
    tier = TierStatus(name="cdn", silent_for=timedelta(seconds=90), letters=(letter,))
    sample = StaleSample(url="/a", since=NOW, seen_at=NOW)
    values = PurgeStatus(at=NOW, tiers=(tier,), stale=(sample,)).to_json()
    assert values == {
        "at": NOW.isoformat(),
        "tiers": [
            {
                "name": "cdn",
                "driver": "",
                "gone": 90.0,
                "backlog": 0,
                "resting": 0,
                "oldest": None,
                "dead": 0,
                "letters": [{"id": 1, "url": "/a", "error": "400", "died": NOW.isoformat()}],
                "breaker": "",
                "last_success": None,
                "p50": None,
                "p99": None,
            }
        ],
        "entries": 0,
        "capped": [],
        "stale": [
            {
                "url": "/a",
                "since": NOW.isoformat(),
                "seen": NOW.isoformat(),
                "times": 1,
                "until": None,
            }
        ],
        "sampled": "",
        "rewritten": "",
        "silence": None,
        "healthy": False,
    }


def test_precision_keeps_its_json_keys() -> None:
    """They are in the status and in each variant of an explanation."""
    assert Precision().to_json() == {"renewed": 0, "unchanged": 0}
