"""What a synchronisation has to do: a listing of the source against what earlier runs found. Pure."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SourceChanges:
    """Places in the source, each in exactly one of the four, sorted."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    unchanged: tuple[str, ...]


def changes(listing: Mapping[str, str], known: Mapping[str, str], unread: Collection[str] = ()) -> SourceChanges:
    """Compares two mappings of place -> revision.

    `unread` are folders that could not be listed ("" is the source itself): what is known below one of them is not
    taken for removed, and stands in none of the four.
    """
    both = sorted(listing.keys() & known.keys())
    return SourceChanges(
        added=tuple(sorted(listing.keys() - known.keys())),
        changed=tuple(place for place in both if listing[place] != known[place]),
        removed=tuple(sorted(place for place in known.keys() - listing.keys() if not _below(place, unread))),
        unchanged=tuple(place for place in both if listing[place] == known[place]),
    )


def _below(place: str, folders: Collection[str]) -> bool:
    return any(folder == "" or place.startswith(f"{folder}/") for folder in folders)
