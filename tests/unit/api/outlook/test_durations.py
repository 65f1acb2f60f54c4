"""What is expected of a job, from the jobs that completed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.job_types.page_work import PageWork
from services.api.outlook.durations import (
    LEAST,
    NEAREST,
    UNKNOWN,
    Basis,
    Sample,
    expected,
    expected_of_pages,
    mean_s,
    quantile,
)

SECONDS = st.floats(min_value=0, max_value=1e6)
SAMPLES = st.lists(
    st.builds(
        Sample,
        SECONDS,
        st.none() | st.integers(0, 5000),
        st.sampled_from([None, "native", "rapidocr"]),
        st.integers(0, 5000),
    ),
    max_size=60,
)
MIXED = PageWork(with_text="native", without_text="rapidocr")


def read(method: str, pages: int, page_s: float, count: int = LEAST, files: int = 0) -> list[Sample]:
    return [Sample(pages * page_s, pages, method, files)] * count


@given(SAMPLES, st.none() | st.integers(0, 5000), st.none() | st.sampled_from(["native", "llm"]))
def test_what_is_expected_is_never_negative_and_a_tenth_takes_at_least_as_long_as_the_half(
    samples: list[Sample], pages: int | None, method: str | None
) -> None:
    found = expected(samples, pages, method)
    if found.p50 is None or found.p90 is None:
        assert found == UNKNOWN
    else:
        assert 0 <= found.p50 <= found.p90
        assert found.jobs >= LEAST


@given(st.lists(SECONDS, min_size=1), st.floats(0, 1), st.floats(0, 1))
def test_a_quantile_is_between_the_values_and_grows_with_its_share(values: list[float], one: float, two: float) -> None:
    ordered = sorted(values)
    low, high = sorted((one, two))
    least, most = quantile(ordered, low), quantile(ordered, high)
    assert ordered[0] - 1e-6 <= least <= most + 1e-6
    assert most <= ordered[-1] + 1e-6


def test_two_jobs_measure_nothing() -> None:
    assert expected(read("native", 10, 0.01, count=LEAST - 1), 10, "native") == UNKNOWN


def test_a_job_is_measured_by_those_of_its_method_and_scaled_to_its_pages() -> None:
    samples = read("native", 10, 0.01) + read("rapidocr", 5, 2.0)
    found = expected(samples, 100, "rapidocr")
    assert found.p50 == pytest.approx(200)
    assert (found.basis, found.jobs) == (Basis.MEASURED, LEAST)


def test_drawing_the_pages_is_another_work_than_reading_them() -> None:
    samples = read("native", 10, 0.01) + read("native", 10, 0.5, files=10)
    assert expected(samples, 10, "native", draws=True).p50 == pytest.approx(5)
    assert expected(samples, 10, "native", draws=False).p50 == pytest.approx(0.1)


def test_without_jobs_of_the_method_all_of_the_type_stand_for_them_and_that_is_said() -> None:
    found = expected(read("native", 10, 0.01), 10, "llm")
    assert found.p50 == pytest.approx(0.1)
    assert found.basis is Basis.SIMILAR


def test_jobs_of_a_similar_size_count_before_others() -> None:
    small = read("native", 1, 0.5, count=NEAREST)  # most of a small job is its beginning and end
    large = read("native", 1000, 0.001, count=NEAREST)
    assert expected(small + large, 900, "native").p50 == pytest.approx(0.9)


def test_a_mixed_document_takes_what_its_parts_take() -> None:
    samples = read("native", 10, 0.01) + read("rapidocr", 5, 2.0)
    found = expected_of_pages(samples, MIXED, pages=14, with_text=10)
    assert found.p50 == pytest.approx(8.1)
    assert found.p90 == pytest.approx(8.1)
    assert (found.basis, found.jobs) == (Basis.MEASURED, 2 * LEAST)


def test_a_part_that_cannot_be_measured_leaves_the_whole_unknown() -> None:
    unpaged = [Sample(1.0, None, "native")] * LEAST
    assert expected_of_pages(unpaged, MIXED, pages=14, with_text=10) == UNKNOWN


def test_what_may_be_read_by_several_methods_is_only_similar() -> None:
    assert expected_of_pages(read("native", 10, 0.01), MIXED, pages=14).basis is Basis.SIMILAR


def test_one_job_of_hours_does_not_stand_for_all() -> None:
    usual = [Sample(1.0)] * 99
    assert mean_s([*usual, Sample(36_000.0)]) == pytest.approx(1.0)
    assert mean_s(usual[: LEAST - 1]) is None
