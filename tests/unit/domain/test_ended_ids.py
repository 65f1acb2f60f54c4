"""The ids that ended recently: a set like any other, but small, and dropped day by day."""

from base64 import b64decode
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.ended_ids import EndedIds, IdSet
from tests.support.histories.jobs import BEGAN

names = st.text(max_size=12)


@given(st.lists(names, max_size=200), st.lists(names, max_size=50))
def test_it_holds_what_was_added_and_nothing_else(added: list[str], others: list[str]) -> None:
    ids = IdSet()
    for name in added:
        ids.add(name)
    assert len(ids) == len(set(added))
    assert all(name in ids for name in added)
    assert all((name in ids) == (name in added) for name in others)


@given(st.dictionaries(names, st.integers(0, 200), max_size=60), st.integers(0, 200))
def test_it_forgets_whole_days_and_comes_back_from_its_text(hours: dict[str, int], before: int) -> None:
    ends = EndedIds({name: BEGAN + timedelta(hours=hour) for name, hour in hours.items()})
    ends.forget(BEGAN + timedelta(hours=before))
    kept = {name for name in hours if name in ends}
    assert kept >= {name for name, hour in hours.items() if hour >= before}
    assert not kept & {name for name, hour in hours.items() if hour + 24 <= before}
    again = EndedIds.load(ends.dump())
    assert again == ends
    assert {name for name in hours if name in again} == kept


def test_an_id_takes_a_tenth_of_what_a_text_and_a_time_take() -> None:
    ids = IdSet()
    for number in range(20_000):
        ids.add(f"job-{number}")
        if number % 100 == 99:
            assert len(b64decode(ids.dump())) / len(ids) < 18


@pytest.mark.parametrize("text", ["", "AAAA", "%", "/" * 400])
def test_a_damaged_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"table of ids|base64|padding"):
        EndedIds.load({1: text})
