from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from app.edge.audit.check import Visit
from app.edge.audit.checks import CHECKS, all_finding_types
from app.edge.audit.discovery import AuditedPage
from app.edge.audit.exchange import make_exchange
from app.edge.audit.findings import AuditFinding, FindingLevel, FindingType, merge_findings
from app.edge.audit.report import AuditReport, format_finding

DOCS = Path(__file__).parents[3] / "docs" / "checking.md"
ONE = FindingType(id="one", level=FindingLevel.ERROR, title="One.", advice="Mend it.")
TWO = FindingType(id="two", level=FindingLevel.NOTE, title="Two.", advice="Look at it.")


def test_every_finding_has_an_id_of_its_own() -> None:
    """Programs know findings by it, people look it up."""
    ids = [kind.id for kind in all_finding_types()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one) for one in ids)
    assert len({check.name for check in CHECKS}) == len(CHECKS)


@pytest.mark.parametrize("kind", all_finding_types(), ids=lambda kind: kind.id)
def test_every_finding_says_what_is_wrong_and_what_to_do(kind: FindingType) -> None:
    """In whole sentences."""
    assert kind.title.endswith(".")
    assert kind.advice.endswith((".", "?"))


def test_every_finding_is_documented() -> None:
    """With its level, what it means and how to mend it, and none that is no finding."""
    rows = re.findall(r"^\| `([a-z0-9-]+)` \| (\w+) \| (.+) \| (.+) \|$", _docs(), re.MULTILINE)
    documented = {name: (level, mend) for name, level, _, mend in rows}
    assert documented == {kind.id: (kind.level.value, kind.advice) for kind in all_finding_types()}
    titles = {kind.id: kind.title for kind in all_finding_types()}
    assert all(means.startswith(titles[name]) for name, _, means, _ in rows)


def test_every_question_is_documented() -> None:
    """Each check is a section, in the order in which they run."""
    assert re.findall(r"^### (.+)$", _docs(), re.MULTILINE) == [check.question for check in CHECKS]


def _docs() -> str:
    return DOCS.read_text(encoding="utf-8")


def test_findings_of_a_kind_are_one_with_all_their_evidence() -> None:
    """The worst first, nothing twice."""
    findings = merge_findings(
        [
            TWO.with_evidence("a"),
            ONE.with_evidence("b"),
            ONE.with_evidence("c"),
            ONE.with_evidence("b"),
        ]
    )
    assert [(one.id, one.evidence) for one in findings] == [("one", ("b", "c")), ("two", ("a",))]


def test_evidence_does_a_terminal_no_harm() -> None:
    """A header of a stranger may hold anything, and be long."""
    [evidence] = ONE.with_evidence("\x1b[2J" + "x" * 1000).evidence
    assert len(evidence) == 300
    assert evidence.isprintable()


@pytest.mark.parametrize(
    ("kinds", "status"),
    [((), 0), ((TWO,), 0), ((ONE, TWO), 1)],
    ids=["nothing", "a note", "an error"],
)
def test_the_status_tells_whether_something_is_wrong(
    kinds: tuple[FindingType, ...], status: int
) -> None:
    """A note is nothing wrong."""
    report = AuditReport(
        url="https://example.org", findings=tuple(kind.with_evidence() for kind in kinds)
    )
    assert report.status == status


def report(*findings: AuditFinding) -> AuditReport:
    """A report on a site with one page."""
    exchange = make_exchange("/", headers=[("Cache-Status", "broadsheet; hit")])
    visit = Visit(page=AuditedPage(kind="home", target="/"), exchanges=(exchange,))
    return AuditReport(url="https://example.org", findings=findings, visits=(visit,), requests=9)


def test_people_read_what_was_seen_and_what_to_do() -> None:
    """The text shows at most a few pieces of evidence."""
    text = "\n".join(report(ONE.with_evidence(*"abcdef"), TWO.with_evidence()).to_lines())
    assert "https://example.org: 9 requests" in text
    assert "home     200  broadsheet: hit" in text
    assert "ERROR one: One.\n  seen: a\n" in text
    assert "and 2 more times" in text
    assert text.endswith("Found 1 error, 1 note.")
    assert "\n".join(report().to_lines()).endswith("No findings.")


def test_no_line_is_wider_than_a_page() -> None:
    """Long evidence is wrapped."""
    lines = format_finding(ONE.with_evidence("word " * 50))
    assert max(map(len, lines)) <= 98


def test_programs_read_the_same() -> None:
    """As JSON, with everything that was seen."""
    document = json.loads(json.dumps(report(ONE.with_evidence("a")).to_json()))
    assert document["findings"] == [
        {"id": "one", "level": "error", "title": "One.", "advice": "Mend it.", "evidence": ["a"]}
    ]
    assert (document["status"], document["caches"]) == (1, ["broadsheet"])
    assert document["pages"][0]["hit"] is True
