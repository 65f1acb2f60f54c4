"""Ids: derived where something determines them, and then the same for ever."""

from hypothesis import given
from hypothesis import strategies as st

from schemas import ids

names = st.text(st.characters(codec="utf-8"), max_size=20)


def test_derived_ids_never_change() -> None:
    """These stand in logs that are kept for ever: a change here would make every repeat look new."""
    assert ids.keyed_id("job", "acme", "key-1") == "job-87a769d6-ebcc-53bf-9075-e3967f597c80"
    assert ids.member_id("batch-1", 0) == "job-e13a974b-eaec-5b70-af5e-7d4dd38c3233"
    assert ids.event_id("job-1", "JobCreated") == "596f5cec-d84a-534c-824b-dc3f2feeeee7"
    assert ids.delivery_id("job-1", "completed") == "msg_5b9dfb9a899b58c79d32fd32cf6d69c0"


@given(names, names)
def test_the_same_key_of_the_same_owner_is_the_same_job(owner: str, key: str) -> None:
    assert ids.keyed_id("job", owner, key) == ids.keyed_id("job", owner, key)
    assert ids.keyed_id("job", owner, key).startswith("job-")


@given(names)
def test_a_key_means_another_thing_for_another_owner_and_for_a_batch(key: str) -> None:
    found = {ids.keyed_id("job", "a", key), ids.keyed_id("job", "b", key), ids.keyed_id("batch", "a", key)}
    assert len(found) == 3


@given(st.sets(st.tuples(names, st.integers(0, 9999)), max_size=30))
def test_members_and_events_of_different_origin_differ(origins: set[tuple[str, int]]) -> None:
    assert len({ids.member_id(batch, index) for batch, index in origins}) == len(origins)
    assert len({ids.event_id(scope, "JobProgress", number) for scope, number in origins}) == len(origins)


def test_drawn_ids_differ_and_begin_with_their_kind() -> None:
    assert ids.draw_job_id().startswith("job-")
    assert ids.draw_batch_id().startswith("batch-")
    assert len({draw() for draw in (ids.draw_job_id, ids.draw_batch_id, ids.draw_run) for _ in range(100)}) == 300
