"""Rows of documents and folders: they do not depend on how the records were cut into polls."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from piperoll.log.parking import Decoded, Parking, decode
from schemas.envelope import Fact
from schemas.topics import DOCUMENT_EVENTS
from services.projector.documents.projection import (
    Details,
    KnownDocuments,
    StoredDocument,
    StoredFolder,
    of_documents,
    of_folders,
    project,
)
from services.projector.verify.document_comparison import (
    DocumentHistory,
    document_violations,
    folder_violations,
)
from tests.support.histories.documents import CLOSED, REMOVED, added, libraries, made, moved
from tests.support.histories.jobs import BEGAN, fact, garbage, record

READ: Mapping[str, Details] = {
    **{f"details/{number}": (f"report-{number}.pdf", f"in/{number}") for number in (1, 2)},  # that of 3 is gone
    "details/folder": ("Reports", None),
    "details/changed": ("Changed", "described"),
}


@dataclass
class Folded:
    """What the tables would hold after some polls."""

    known: KnownDocuments = field(default_factory=KnownDocuments)
    parked: set[str] = field(default_factory=set)
    documents: dict[str, StoredDocument] = field(default_factory=dict)
    folders: dict[str, StoredFolder] = field(default_factory=dict)
    members: dict[tuple[str, str], datetime] = field(default_factory=dict)

    def poll(self, entries: list[Decoded]) -> None:
        parking = Parking(self.parked)
        changes = project(self.known, parking.sift(entries))
        claims = [getattr(entry.fact.data, "details", None) for entry in entries if entry.fact]
        read = {one: READ.get(one.uri, (None, None)) for one in claims if one is not None}
        self.documents |= {row.document_id: row for row in of_documents(changes, self.known, read, 0)}
        self.folders |= {row.folder_id: row for row in of_folders(changes, self.known, read, 0)}
        for place, move in changes.moves.items():
            if move.left:
                self.members.pop(place, None)
            if move.since is not None:
                self.members.setdefault(place, move.since)
        for folder_id in changes.removed_folders:
            self.members = {place: since for place, since in self.members.items() if place[0] != folder_id}
        self.known.documents |= changes.documents
        self.known.folders |= changes.folders
        self.parked |= set(parking.keys)
        self.known.details |= {key: (row.name, row.source) for key, row in self.documents.items()}
        self.known.details |= {key: (row.name, row.description) for key, row in self.folders.items()}


def entries_of(facts: list[Fact]) -> list[Decoded]:
    return [decode(record(one, 0, offset, DOCUMENT_EVENTS)) for offset, one in enumerate(facts)]


def folded(facts: list[Fact], cuts: list[int] | None = None) -> Folded:
    entries, result = entries_of(facts), Folded()
    edges = [0, *(cuts or []), len(entries)]
    for begin, end in pairwise(edges):
        result.poll(entries[begin:end])
    return result


@given(libraries(), st.lists(st.integers(0, 40), max_size=6).map(sorted))
def test_any_split_into_polls_gives_the_same_rows(facts: list[Fact], cuts: list[int]) -> None:
    whole, split = folded(facts), folded(facts, [min(cut, len(facts)) for cut in cuts])
    assert (split.documents, split.folders, split.members) == (whole.documents, whole.folders, whole.members)


@given(libraries())
def test_the_rows_of_a_fold_differ_in_nothing_from_the_log(facts: list[Fact]) -> None:
    history, tables = DocumentHistory(1), folded(facts)
    for entry in entries_of(facts):
        assert entry.fact is not None
        history.observe(entry.fact, entry.record.position)
    assert list(document_violations(history, map(asdict, tables.documents.values()), 0)) == []
    assert list(folder_violations(history, map(asdict, tables.folders.values()), 0)) == []
    assert tables.members == history.members
    assert history.misplaced == []


def test_a_row_has_the_values_of_its_details() -> None:
    tables = folded([fact("doc-a", added("1")), fact("folder-a", made())])
    row = tables.documents["doc-a"]
    assert (row.name, row.source, row.media_type, row.size, row.removed) == (
        "report-1.pdf",
        "in/1",
        "application/json",
        1,
        False,
    )
    assert (tables.folders["folder-a"].name, tables.folders["folder-a"].chunk_size) == ("Reports", 500)


def test_erased_details_leave_a_row_without_a_name() -> None:
    assert folded([fact("doc-a", added("3"))]).documents["doc-a"].name is None


def test_a_removal_takes_the_name_and_the_size_out_of_the_row() -> None:
    row = folded([fact("doc-a", added("1")), fact("doc-a", REMOVED, 1)]).documents["doc-a"]
    assert (row.name, row.source, row.media_type, row.size, row.removed) == (None, None, None, None, True)


def test_a_member_keeps_since_when_it_is_in_until_it_leaves() -> None:
    facts = [fact("folder-a", made())]
    facts += [fact("folder-a", moved(("doc-a", "doc-b")), 1), fact("folder-a", moved(("doc-a", "doc-b")), 2)]
    facts += [fact("folder-a", moved((), ("doc-b",)), 3), fact("folder-a", moved(("doc-b",)), 4)]
    assert folded(facts).members == {
        ("folder-a", "doc-a"): BEGAN + timedelta(seconds=1),
        ("folder-a", "doc-b"): BEGAN + timedelta(seconds=4),
    }
    assert folded([*facts, fact("folder-a", CLOSED, 5), fact("folder-a", moved(("doc-c",)), 6)]).members == {}


def test_what_follows_an_undecodable_record_is_parked() -> None:
    bad = replace(garbage("doc-a", 0, 0), topic=DOCUMENT_EVENTS.name)
    after = record(fact("doc-a", added()), 0, 1, DOCUMENT_EVENTS)
    parking = Parking()
    changes = project(KnownDocuments(), parking.sift([decode(bad), decode(after)]))
    assert (changes.documents, parking.keys) == ({}, {"doc-a": 0})
    assert [one.offset for one, _ in parking.letters] == [0, 1]
