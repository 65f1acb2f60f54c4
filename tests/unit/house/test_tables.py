"""The tables of the documents match the code: topics, terms, rooms, metrics and decisions."""

import importlib
import re

from prometheus_client import REGISTRY

from piperoll.log.topics.rights import SERVICES, rights_of
from schemas.events import EVENTS
from schemas.topics import MANIFEST
from tests.support.repository import ROOT, text

SECTIONS = ["Context", "Decision", "Consequences", "Evidence"]

METRICS = (
    "piperoll.telemetry",
    "services.api.metrics",
    "services.notifier.metrics",
    "services.projector.metrics",
    "services.worker.children.pool",
    "services.worker.metrics",
)
"""The modules that register metrics."""


def test_every_topic_and_every_event_has_a_row_in_the_architecture_with_its_writers() -> None:
    architecture = text("docs/architecture.md")
    rows = dict(re.findall(r"^\| `([\w.-]+)` \| (.+) \|$", architecture, flags=re.MULTILINE))
    assert {topic.name for topic in MANIFEST} | EVENTS.keys() <= rows.keys()
    for topic in MANIFEST:
        assert rows[topic.name].endswith(f"| {', '.join(topic.writers)}"), topic.name
    for event in EVENTS.values():
        writers = rows[event.__name__].split("|")[0]
        assert set(re.findall(r"api|worker|notifier", writers)) == set(event.writers), event


def test_the_accounts_of_the_operator_s_page_have_the_rights_of_the_table() -> None:
    section = text("docs/operating.md").partition("\n## Accounts in Kafka\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", section, flags=re.MULTILINE)[1:]
    assert [row[0] for row in rows] == list(SERVICES)
    for service, *cells in rows:
        writes, reads, groups = (set(re.findall(r"`([^`]+)`", cell)) for cell in cells)
        rights = rights_of(service)
        assert writes == {right.name for right in rights if right.operation == "Write"}, service
        assert reads == {right.name for right in rights if (right.operation, right.kind) == ("Read", "topic")}, service
        assert groups == {right.name for right in rights if (right.operation, right.kind) == ("Read", "group")}, service


def test_the_glossary_defines_each_term_once_in_order() -> None:
    cells = re.findall(r"^\| (?!term |---)([^|]+?) \|", text("docs/glossary.md"), flags=re.MULTILINE)
    terms = [term.strip("`") for cell in cells for term in cell.split(", ")]
    assert len(terms) == len(set(terms))
    assert cells == sorted(cells, key=str.lower)


def test_every_room_of_the_services_has_a_row_in_the_architecture() -> None:
    rows = re.findall(
        r"^\| (`(?:api|worker|projector|notifier)/.+?`) \|", text("docs/architecture.md"), flags=re.MULTILINE
    )
    named = [room for row in rows for room in re.findall(r"`([\w/]+)`", row)]
    rooms = {str(path.parent.relative_to(ROOT / "services")) for path in ROOT.glob("services/*/*/__init__.py")}
    assert sorted(named) == sorted(rooms)


def test_every_metric_is_explained_and_every_explained_metric_exists() -> None:
    for module in (*METRICS, "piperoll.log.stops"):
        importlib.import_module(module)
    registered = {
        metric.name + ("_total" if metric.type == "counter" else "")
        for metric in REGISTRY.collect()
        if metric.name.startswith("piperoll_")
    }
    assert set(re.findall(r"`(piperoll_\w+)`", text("docs/operating.md"))) == registered


def test_every_decision_has_its_context_consequences_and_evidence_and_a_number_of_its_own() -> None:
    decisions = sorted((ROOT / "docs/adr").glob("*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        content = path.read_text(encoding="utf-8")
        assert content.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"^## (.+)$", content, flags=re.MULTILINE) == SECTIONS, path.name
