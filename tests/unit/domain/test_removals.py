"""The fold of removals: what is due, until it was carried out."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.removals import DueRemoval, Removals
from schemas.events import DocumentRemoved, Event, FolderChanged, FolderMembersChanged, FolderRemoved
from tests.support.histories.documents import CLOSED, REMOVED, added, made, moved
from tests.support.histories.jobs import BEGAN, OWNER, fact

EVENTS = st.sampled_from([added(), REMOVED, made(), CLOSED, FolderChanged(by=OWNER, chunk_size=100), moved(("doc-1",))])


def folded(*events: Event) -> Removals:
    removals = Removals()
    for second, event in enumerate(events):
        removals.fold(fact("doc-1", event, second))
    return removals


@given(st.lists(EVENTS, max_size=8))
def test_a_removal_stays_due_whatever_follows_it(events: list[Event]) -> None:
    due = folded(REMOVED, *events).due["doc-1"]
    assert due.removed
    removals = [second for second, one in enumerate(events, 1) if isinstance(one, DocumentRemoved | FolderRemoved)]
    assert due.at == BEGAN + timedelta(seconds=max(removals, default=0))


@given(st.lists(EVENTS.filter(lambda one: not isinstance(one, DocumentRemoved | FolderRemoved)), min_size=1))
def test_content_without_a_removal_is_only_to_be_looked_at(events: list[Event]) -> None:
    removals = folded(*events)
    assert not any(due.removed for due in removals.due.values())
    assert bool(removals.due) == any(not isinstance(one, FolderMembersChanged) for one in events)


def test_what_is_carried_out_is_not_due_unless_a_fact_came_meanwhile() -> None:
    removals = folded(added(), REMOVED)
    begun = removals.due["doc-1"]
    removals.fold(fact("doc-1", added(), 5))
    removals.carried_out("doc-1", begun)
    again = removals.due["doc-1"]
    assert again == begun == DueRemoval(BEGAN + timedelta(seconds=1), OWNER, removed=True)
    removals.carried_out("doc-1", again)
    assert removals.due == {}
