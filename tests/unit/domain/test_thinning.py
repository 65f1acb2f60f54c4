"""Which progress is worth a fact."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.thinning import MAX_FACTS, STEP_PERCENT, Thinning

reports = st.lists(st.tuples(st.sampled_from(["reading", "extracting", "writing"]), st.integers(0, 100)), max_size=200)


def admitted(reports: list[tuple[str, int]]) -> list[tuple[str, int]]:
    thinning = Thinning()
    return [(step, percent) for step, percent in reports if thinning.admit(step, percent)]


@given(reports)
def test_a_run_reports_no_more_than_its_share(reports: list[tuple[str, int]]) -> None:
    assert len(admitted(reports)) <= MAX_FACTS


@given(reports)
def test_within_a_step_facts_lie_five_percent_apart(reports: list[tuple[str, int]]) -> None:
    facts = admitted(reports)
    for (step, percent), (next_step, next_percent) in itertools.pairwise(facts):
        assert next_step != step or next_percent >= percent + STEP_PERCENT


@given(reports)
def test_the_first_report_of_each_step_is_a_fact_while_there_is_room(reports: list[tuple[str, int]]) -> None:
    facts = admitted(reports)
    if len(facts) < MAX_FACTS:
        changes = [step for place, (step, _) in enumerate(reports) if place == 0 or reports[place - 1][0] != step]
        assert [step for place, (step, _) in enumerate(facts) if place == 0 or facts[place - 1][0] != step] == changes


def test_a_document_of_a_thousand_pages_is_a_fact_every_five_percent() -> None:
    facts = admitted([("extracting_text", round(page / 10)) for page in range(1000)])
    assert [percent for _, percent in facts] == list(range(0, 101, STEP_PERCENT))


def test_the_count_is_the_sequence_of_the_last_fact() -> None:
    thinning = Thinning()
    assert [thinning.admit("reading", percent) for percent in (0, 1, 5)] == [True, False, True]
    assert thinning.count == 2
