"""Compare a listing of the source with the known files of earlier runs. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

FEW = 10


@dataclass(frozen=True, slots=True)
class SourceChanges:
    """Sorted paths in the source, each in exactly one of the four."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


def changes(listing: Mapping[str, str], known: Mapping[str, str], unread: Collection[str] = ()) -> SourceChanges:
    """Compare two mappings of path -> revision.

    `unread` are folders that could not be listed ("" is the source itself): known files below them are not counted as
    removed and are in none of the four.
    """
    both = sorted(listing.keys() & known.keys())
    return SourceChanges(
        added=tuple(sorted(listing.keys() - known.keys())),
        changed=tuple(place for place in both if listing[place] != known[place]),
        removed=tuple(sorted(place for place in known.keys() - listing.keys() if not _below(place, unread))),
        unchanged=tuple(place for place in both if listing[place] == known[place]),
    )


def too_many_removals(found: SourceChanges, share: float) -> bool:
    """Whether the removals look like a source that is not mounted: nothing is left of it, or little.

    Up to FEW files may go unless nothing is left; beyond, at most this share of the known files.
    """
    left = len(found.added) + len(found.changed) + len(found.unchanged)
    gone = len(found.removed)
    known = gone + len(found.changed) + len(found.unchanged)
    return bool(gone) and (left == 0 or gone > max(FEW, share * known))


def _below(place: str, folders: Collection[str]) -> bool:
    return any(folder == "" or place.startswith(f"{folder}/") for folder in folders)
