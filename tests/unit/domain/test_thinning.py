"""Which progress is worth a fact."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.thinning import MAX_FACTS, MAX_SLOW, STEP_PERCENT, Thinning, slow_gap

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


@given(st.integers(1, 500), st.floats(0.3, 30))
def test_the_page_of_a_slow_step_is_never_old_while_there_is_room(pages: int, page_s: float) -> None:
    thinning, shown, slow = Thinning(), 0.0, 0
    for number in range(pages):
        now = number * page_s
        percent = 30 + 30 * number // pages
        if thinning.admit("extracting_text", percent, now, number + 1):
            shown, slow = now, thinning.slow
        if slow < MAX_SLOW:
            assert now - shown < slow_gap(slow) + page_s
    assert thinning.count <= MAX_FACTS + MAX_SLOW


def test_a_scan_of_sixty_pages_shows_a_page_every_few_seconds() -> None:
    thinning = Thinning()
    shown = [page for page in range(1, 61) if thinning.admit("ocr", 30 + (page - 1) // 2, page * 1.25, page)]
    assert shown[:4] == [1, 5, 9, 13]
    assert max(after - before for before, after in itertools.pairwise(shown)) <= 8


def test_a_heartbeat_is_no_fact_however_late_it_is() -> None:
    thinning = Thinning()
    assert [thinning.admit("reading", 30, now, 7) for now in (0.0, 100.0, 200.0)] == [True, False, False]


def test_slow_facts_take_no_room_of_steps_and_percents() -> None:
    thinning = Thinning()
    count = sum(thinning.admit("reading", 10, number * 1000.0, number) for number in range(1000))
    assert count == 1 + MAX_SLOW
    assert sum(thinning.admit("writing", percent, 10**7) for percent in range(101)) == 100 // STEP_PERCENT + 1


def test_the_count_is_the_sequence_of_the_last_fact() -> None:
    thinning = Thinning()
    assert [thinning.admit("reading", percent) for percent in (0, 1, 5)] == [True, False, True]
    assert thinning.count == 2


def test_the_first_readable_pages_are_a_fact_and_later_ones_only_with_the_others() -> None:
    thinning = Thinning()
    reports = [(0.0, False), (1.0, False), (1.5, True), (2.0, True), (3.0, True), (7.0, True)]
    admitted = [thinning.admit("ocr", 30, at, number, has) for number, (at, has) in enumerate(reports)]
    assert admitted == [True, False, True, False, False, True]
    assert thinning.count == 3
