"""What a synchronisation has to do, whatever is listed and whatever was known."""

from hypothesis import given
from hypothesis import strategies as st

from services.worker.processors.sync.changes import changes

PLACES = st.lists(st.sampled_from(["a", "b", "ab"]), min_size=1, max_size=3).map("/".join)
STATES = st.dictionaries(PLACES, st.sampled_from(["1", "2"]))


@given(STATES, STATES)
def test_every_place_is_in_exactly_one_of_the_four(listing: dict[str, str], known: dict[str, str]) -> None:
    found = changes(listing, known)
    all_of_them = [*found.added, *found.changed, *found.removed, *found.unchanged]
    assert sorted(all_of_them) == sorted(listing.keys() | known.keys())


@given(STATES, STATES)
def test_carrying_the_changes_out_gives_the_listing_and_then_there_are_none(
    listing: dict[str, str], known: dict[str, str]
) -> None:
    found = changes(listing, known)
    after = {place: revision for place, revision in known.items() if place not in found.removed}
    after |= {place: listing[place] for place in (*found.added, *found.changed)}
    assert after == listing
    again = changes(listing, after)
    assert (again.added, again.changed, again.removed) == ((), (), ())
    assert again.unchanged == tuple(sorted(listing))


@given(STATES, STATES, st.sets(PLACES, max_size=2))
def test_nothing_below_a_folder_that_was_not_listed_is_taken_for_removed(
    listing: dict[str, str], known: dict[str, str], unread: set[str]
) -> None:
    found, anyway = changes(listing, known, unread), changes(listing, known)
    spared = set(anyway.removed) - set(found.removed)
    assert spared == {place for place in anyway.removed if any(place.startswith(f"{one}/") for one in unread)}
    assert (found.added, found.changed, found.unchanged) == (anyway.added, anyway.changed, anyway.unchanged)


def test_a_source_of_which_nothing_was_listed_loses_nothing() -> None:
    assert changes({}, {"a": "1"}, [""]).removed == ()


def test_a_source_that_is_empty_loses_everything() -> None:
    assert changes({}, {"a": "1", "b/c": "1"}).removed == ("a", "b/c")
