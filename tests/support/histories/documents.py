"""Histories of documents and folders as the documents topic may hold them, sensible ones and random ones."""

from hypothesis import strategies as st

from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import (
    DocumentAdded,
    DocumentRemoved,
    Event,
    FolderChanged,
    FolderCreated,
    FolderMembersChanged,
    FolderRemoved,
    JobCreated,
)
from tests.support.histories.jobs import OWNER, claim, created, fact

STRANGER = "another"
DOCUMENTS = ["doc-a", "doc-b", "doc-c"]
FOLDERS = ["folder-a", "folder-b"]
REMOVED = DocumentRemoved(by=OWNER)
CLOSED = FolderRemoved(by=OWNER)


def added(revision: str = "1", details: Claim | None = None, job_id: str | None = None) -> DocumentAdded:
    """A document is taken in as `revision`."""
    return DocumentAdded(
        content=claim(f"content/{revision}"),
        details=details or claim(f"details/{revision}"),
        revision=revision,
        user_id="user-1",
        job_id=job_id,
    )


def made(chunk_size: int = 500, details: Claim | None = None) -> FolderCreated:
    """A folder is made."""
    return FolderCreated(details=details or claim("details/folder"), chunk_size=chunk_size, user_id="user-1")


def moved(entered: tuple[str, ...] = (), left: tuple[str, ...] = ()) -> FolderMembersChanged:
    """Documents come into a folder or leave it."""
    return FolderMembersChanged(added=entered, removed=left)


some_documents = st.lists(st.sampled_from(DOCUMENTS), max_size=3).map(tuple)
document_events: st.SearchStrategy[Event] = st.one_of(
    st.builds(added, st.sampled_from(["1", "2", "3"])),
    st.just(REMOVED),
)
folder_events: st.SearchStrategy[Event] = st.one_of(
    st.builds(made, st.sampled_from([100, 500])),
    st.builds(
        FolderChanged,
        by=st.just(OWNER),
        details=st.none() | st.just(claim("details/changed")),
        chunk_size=st.none() | st.integers(50, 8000),
    ),
    st.builds(moved, some_documents, some_documents),
    st.builds(moved, some_documents),
    st.just(CLOSED),
)
owners = st.sampled_from([OWNER, OWNER, OWNER, OWNER, OWNER, STRANGER])


def stray() -> JobCreated:
    """A fact that is neither a document's nor a folder's."""
    return created()


@st.composite
def lives_of(draw: st.DrawFn, subject: str, events: st.SearchStrategy[Event]) -> list[Fact]:
    """Facts of one document or folder in any order, with times that jump back and forth and a stranger among them."""
    facts = draw(st.lists(st.tuples(events, st.integers(0, 60), owners), max_size=12))
    return [fact(subject, data, second, owner) for data, second, owner in facts]


@st.composite
def libraries(draw: st.DrawFn) -> list[Fact]:
    """The facts of a few documents and folders, mixed."""
    lanes = [draw(lives_of(one, document_events)) for one in DOCUMENTS]
    lanes += [draw(lives_of(one, folder_events)) for one in FOLDERS]
    facts = []
    while lanes := [lane for lane in lanes if lane]:
        facts.append(lanes[draw(st.integers(0, len(lanes) - 1))].pop(0))
    return facts
