"""The owner's stream where it needs no store: places as ids, what a client asks for, and which event bears which id."""

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from piperoll.log.record import Position
from services.api.http.errors import ApiError
from services.api.owner_stream.changes import ChangePage, StreamPlace, paged
from services.api.owner_stream.stream import StreamQuery, events_of, place_of
from services.api.read_model.job_rows import Changed

places = st.lists(st.integers(0, 2**60 - 1), min_size=1, max_size=24).map(lambda offsets: StreamPlace(tuple(offsets)))


@given(places)
def test_a_place_is_parsed_from_its_own_text(place: StreamPlace) -> None:
    assert place_of(str(place)) == place
    assert str(place).isascii()


@given(places)
def test_a_place_belongs_to_the_installation_whose_offsets_it_holds(place: StreamPlace) -> None:
    tagged = replace(place, installation="0123abcd")
    assert str(tagged) == f"0123abcd-{place}"
    assert place_of(str(tagged), "0123abcd") == tagged
    assert place_of(str(place), "0123abcd") == tagged, "an id of an earlier release"
    assert tagged.reaching({0: 2**60}).installation == "0123abcd"
    with pytest.raises(ApiError, match="of another log") as refusal:
        place_of(str(tagged), "ffffffff")
    assert (refusal.value.status, refusal.value.code) == (400, "INVALID_REQUEST")


def test_the_id_of_a_large_installation_stays_short() -> None:
    assert len(str(StreamPlace((10_000_000,) * 24))) < 200


@pytest.mark.parametrize("text", ["x", "1.", ".1", "1..2", "-1", "+1", "1,2", " 1", "1\n", "1" * 16, "0x1", "٣"])
def test_an_invalid_place_is_refused(text: str) -> None:
    with pytest.raises(ApiError) as refusal:
        place_of(text)
    assert (refusal.value.status, refusal.value.code) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("text", [None, ""])
def test_a_client_without_a_place_starts_from_the_present(text: str | None) -> None:
    assert place_of(text) is None


def test_a_filter_accepts_the_names_of_the_lists() -> None:
    assert StreamQuery.of(QueryParams("job_type=transformer_template&batch_id=b")) == StreamQuery(
        job_type="transformer", batch_id="b"
    )
    for query in ("jobtype=pdf", "status=failed"):
        with pytest.raises(ApiError):
            StreamQuery.of(QueryParams(query))


@given(places, st.dictionaries(st.integers(0, 30), st.integers(0, 2**40)))
def test_a_place_never_moves_back(place: StreamPlace, offsets: dict[int, int]) -> None:
    there = place.reaching(offsets)
    for partition in range(32):
        assert there.offset(partition) == max(place.offset(partition), offsets.get(partition, 0))


def fact(partition: int, offset: int) -> Changed:
    return Changed(Position(partition, offset), about_batch=False, counts=False, batch_id=None, job=None)


def test_a_page_ends_where_its_facts_end_or_where_the_projector_was() -> None:
    found = [fact(0, 4), fact(0, 9), fact(2, 7)]
    page = paged(StreamPlace((3, 3, 3)), found, {0: 20, 1: 5, 2: 6}, facts=2)
    assert page.end == StreamPlace((10, 5, 8)), "a full partition, one without facts, one that came further meanwhile"
    assert page.more
    assert not paged(StreamPlace((3, 3, 3)), found, {0: 20, 1: 5, 2: 6}, facts=3).more


def test_the_last_event_of_a_page_carries_the_end_of_the_page() -> None:
    page = ChangePage(StreamPlace((9, 9)), deleted=("batch-a", "batch-b"))
    one, other = [event.decode() for event in events_of(page, StreamQuery(), StreamPlace((0, 0)))]
    assert "id:" not in one
    assert "id: 9.9" in other.splitlines()
    data = next(line for line in other.splitlines() if line.startswith("data: "))
    assert json.loads(data.removeprefix("data: ")) == {"batch_id": "batch-b", "deleted": True}
