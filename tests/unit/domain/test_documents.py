"""The folds of documents and folders: what any history may do to them, and what each fact does."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain import document, folder
from piperoll.domain.document import Document
from piperoll.domain.folder import Folder
from schemas.envelope import Fact
from schemas.events import EVENTS, DocumentAdded, DocumentRemoved, Event, FolderChanged, FolderCreated, FolderRemoved
from tests.support.histories.documents import (
    CLOSED,
    REMOVED,
    STRANGER,
    added,
    document_events,
    folder_events,
    lives_of,
    made,
    moved,
    stray,
)
from tests.support.histories.jobs import BEGAN, OWNER, claim, fact

DOC, FOLDER = "doc-a", "folder-a"
document_lives = lives_of(DOC, document_events)
folder_lives = lives_of(FOLDER, folder_events)


def folded(*data: Event) -> Document:
    """The document after facts that happened a second apart."""
    state = None
    for second, one in enumerate(data):
        state = document.evolve(state, fact(DOC, one, second))
    assert state is not None
    return state


def kept(*data: Event) -> Folder:
    """The folder after facts that happened a second apart."""
    state = None
    for second, one in enumerate(data):
        state = folder.evolve(state, fact(FOLDER, one, second))
    assert state is not None
    return state


def states(facts: list[Fact]) -> list[Document]:
    found: list[Document] = []
    for one in facts:
        after = document.evolve(found[-1] if found else None, one)
        if after is not None and (not found or after is not found[-1]):
            found.append(after)
    return found


# --- what holds for every history ------------------------------------------------------------------------------------


@given(document_lives)
def test_a_document_never_goes_back(facts: list[Fact]) -> None:
    found = states(facts)
    for before, after in pairwise(found):
        assert after.updated_at >= before.updated_at
        assert (after.owner, after.created_at) == (before.owner, before.created_at)
        assert after.added >= before.added
        assert after.removed >= before.removed


@given(document_lives)
def test_a_removed_document_names_no_content_and_stays_removed(facts: list[Fact]) -> None:
    for state in states(facts):
        if state.removed:
            assert (state.content, state.details) == (None, None)
        else:
            assert state.added
            assert state.content is not None


@given(document_lives)
def test_each_record_read_twice_in_a_row_counts_once(facts: list[Fact]) -> None:
    twice = [one for original in facts for one in (original, original)]
    assert states(facts) == states(twice)


@given(document_lives, folder_lives)
def test_a_stranger_changes_nothing(of_document: list[Fact], of_folder: list[Fact]) -> None:
    first, second = folded(added()), kept(made())
    for one in of_document:
        assert document.evolve(first, replace(one, owner=STRANGER)) is first
    for one in of_folder:
        assert folder.evolve(second, replace(one, owner=STRANGER)) is second


@given(folder_lives)
def test_a_folder_never_goes_back_and_ends_once(facts: list[Fact]) -> None:
    state = None
    for one in facts:
        after = folder.evolve(state, one)
        if state is not None and after is not state:
            assert after is not None
            assert after.updated_at >= state.updated_at
            assert (after.owner, after.created_at) == (state.owner, state.created_at)
            assert not state.removed or (isinstance(one.data, FolderCreated) and not state.created)
            assert not after.removed or after.details is None
        state = after


@given(document_lives, folder_lives)
def test_the_json_forms_give_the_same_state_back(of_document: list[Fact], of_folder: list[Fact]) -> None:
    for state in states(of_document):
        assert document.CODEC.validate_json(document.CODEC.dump_json(state)) == state
    last = None
    for one in of_folder:
        last = folder.evolve(last, one)
    assert last is None or folder.CODEC.validate_json(folder.CODEC.dump_json(last)) == last


@given(st.sampled_from(sorted(EVENTS)), st.data())
def test_every_event_there_is_may_come_in_every_state(name: str, data: st.DataObject) -> None:
    event = data.draw(st.builds(EVENTS[name]))
    for state in (None, folded(added()), folded(REMOVED), folded(added(), REMOVED)):
        after = document.evolve(state, fact(DOC, event, 900))
        if state is None:
            assert (after is not None) == isinstance(event, DocumentAdded | DocumentRemoved)
        else:
            assert after is not None
    for kind in (None, kept(made()), kept(CLOSED), kept(made(), CLOSED)):
        one = folder.evolve(kind, fact(FOLDER, event, 900))
        assert (one is not None) == (kind is not None or isinstance(event, FolderCreated | FolderRemoved))


# --- what each fact does -----------------------------------------------------------------------------------------


def test_another_revision_replaces_content_and_details_and_keeps_when_the_document_came() -> None:
    state = folded(added("1", job_id="job-1"), added("2", job_id="job-2"))
    assert (state.revision, state.content, state.details) == ("2", claim("content/2"), claim("details/2"))
    assert (state.created_at, state.updated_at) == (BEGAN, BEGAN + timedelta(seconds=1))
    assert state.job_id == "job-2"


def test_the_same_revision_again_is_ignored() -> None:
    state = folded(added("1"))
    assert document.evolve(state, fact(DOC, added("1", details=claim("elsewhere")), 5)) is state


def test_what_was_removed_is_not_brought_back() -> None:
    state = folded(added("1"), REMOVED)
    assert (state.removed, state.content, state.details, state.revision) == (True, None, None, "1")
    assert document.evolve(state, fact(DOC, added("2"), 5)) is state
    assert document.evolve(state, fact(DOC, REMOVED, 5)) is state


def test_a_document_removed_before_it_was_added_is_only_filled_in() -> None:
    stub = folded(REMOVED)
    assert (stub.added, stub.removed, stub.user_id) == (False, True, None)
    state = document.evolve(stub, fact(DOC, added("1"), 5))
    assert state is not None
    assert (state.added, state.removed, state.user_id, state.revision) == (True, True, "user-1", "1")
    assert (state.content, state.details) == (None, None)
    assert document.evolve(state, fact(DOC, added("2"), 6)) is state


def test_the_first_creation_of_a_folder_counts() -> None:
    state = kept(made(chunk_size=100))
    assert (state.created, state.chunk_size, state.details) == (True, 100, claim("details/folder"))
    assert folder.evolve(state, fact(FOLDER, made(chunk_size=700), 5)) is state


def test_a_change_of_a_folder_leaves_what_it_does_not_name() -> None:
    resized = kept(made(), FolderChanged(by=OWNER, chunk_size=900))
    assert (resized.chunk_size, resized.details) == (900, claim("details/folder"))
    renamed = kept(made(), FolderChanged(by=OWNER, details=claim("other")))
    assert (renamed.chunk_size, renamed.details) == (500, claim("other"))
    assert folder.evolve(renamed, fact(FOLDER, FolderChanged(by=OWNER), 5)) is renamed


def test_a_folder_removed_before_it_was_created_is_only_filled_in() -> None:
    state = kept(CLOSED, made(chunk_size=100))
    assert (state.created, state.removed, state.chunk_size, state.details) == (True, True, 100, None)


def test_a_folder_returns_what_its_facts_move_in_and_out() -> None:
    state = kept(made(), stray())
    change = fact(FOLDER, moved(("doc-a", "doc-b"), ("doc-c",)), 7)
    after = folder.evolve(state, change)
    assert after is not None
    since = BEGAN + timedelta(seconds=7)
    assert list(folder.moves(after, change)) == [("doc-a", since), ("doc-b", since), ("doc-c", None)]
    assert list(folder.moves(after, fact(FOLDER, CLOSED, 8))) == []


@pytest.mark.parametrize("data", [FolderChanged(by=OWNER, chunk_size=100), moved(("doc-a",)), stray()])
def test_a_folder_begins_with_its_creation_or_its_end_and_with_nothing_else(data: Event) -> None:
    assert folder.evolve(None, fact(FOLDER, data)) is None
