"""The fold of one partition of documents and folders for their removal: what is due to be deleted or looked at.

A removal stays due until it was carried out. Facts that name content are due too, because their subject may have been
removed before: the blob store has a marker of each removed one for ever, so this fold needs no memory of them.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime

from schemas.envelope import Fact
from schemas.events import DocumentAdded, DocumentRemoved, FolderChanged, FolderCreated, FolderRemoved


@dataclass(frozen=True, slots=True)
class DueRemoval:
    """What is due for a document or folder since the fact appended at `at`: its removal, or a look at its marker."""

    at: datetime
    owner: str
    removed: bool


@dataclass(slots=True)
class Removals:
    """What is due in one partition, by document or folder. Folded by one task in offset order."""

    due: dict[str, DueRemoval] = field(default_factory=dict)
    parked: set[str] = field(default_factory=set)

    def fold(self, fact: Fact) -> bool:
        """Fold one fact; return whether something is due for its subject now."""
        match fact.data:
            case DocumentRemoved() | FolderRemoved():
                self.due[fact.subject] = DueRemoval(fact.known_at, fact.owner, removed=True)
            case DocumentAdded() | FolderCreated() | FolderChanged():
                before = self.due.get(fact.subject)
                look = DueRemoval(fact.known_at, fact.owner, removed=False)
                self.due[fact.subject] = look if before is None else replace(before)  # not the one in progress
            case _:
                return False
        return True

    def carried_out(self, subject: str, due: DueRemoval) -> None:
        """Note that nothing is due any more, unless a fact that was folded meanwhile requires a repeat."""
        if self.due.get(subject) is due:
            del self.due[subject]
