"""The pure parts of `submit` and `watch`: page ranges, what is shown of a job, first lines."""

from pathlib import Path
from typing import Any

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st

from piperoll.cli.remote.estimates import sum_of
from piperoll.cli.remote.jobs import page_range
from piperoll.cli.remote.progress import summary_of
from piperoll.cli.remote.results import LINE_CHARS, TEXT_LINES, first_lines, origin_of_result, whole_text
from piperoll.client import EstimateView, JobView

WHOLE = "`piperoll watch` prints it"


def view(fields: dict[str, Any]) -> JobView:
    """A job with these fields."""
    return JobView.model_validate(
        {"job_id": "job-1", "job_type": "pdf", "created_at": "2026-01-01T00:00:00Z", **fields}
    )


@given(first=st.integers(1, 9999), last=st.integers(1, 9999))
def test_a_page_range_means_its_numbers(first: int, last: int) -> None:
    assert page_range(f"{first}-{last}") == {"page_start": first, "page_end": last}
    assert page_range(f" {first} - ") == {"page_start": first}
    assert page_range(f"-{last}") == {"page_end": last}
    assert page_range(str(first)) == {"page_start": first, "page_end": first}
    assert page_range("") == {}


@pytest.mark.parametrize("text", ["-", "a", "1-b", "1-2-3", "1,2", "--1", "1.5", " "])
def test_a_bad_page_range_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 3, 1-3"):
        page_range(text)


@pytest.mark.parametrize(
    ("job", "shown"),
    [
        ({"status": "pending"}, ("waiting for a worker", 0, "")),
        ({"status": "pending", "progress": {"step": "x", "percent": 30}}, ("waiting for a retry", 30, "")),
        (
            {"status": "processing", "progress": {"step": "extracting_text", "percent": 40, "page": 2, "pages": 9}},
            ("processing", 40, "extracting text"),
        ),
        ({"status": "completed", "progress": {"step": "completed", "percent": 100}}, ("completed", 100, "")),
        ({"status": "failed", "progress": {"step": "error", "percent": 10}}, ("failed", 10, "")),
    ],
)
def test_the_summary_of_a_job_shows_state_percent_and_step(job: dict[str, Any], shown: tuple[str, int, str]) -> None:
    seen = summary_of(view(job))

    assert (seen.state, seen.percent, seen.step) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.2, "less than 1 s"), (12.4, "12 s"), (119.6, "120 s"), (200, "3 min"), (7_400, "2 h 3 min")],
)
def test_what_is_left_of_a_job_is_shown_as_people_read_it(seconds: float, shown: str) -> None:
    job = {"status": "processing", "eta": {"time": "2026-01-01T00:00:00Z", "seconds": seconds}}
    assert summary_of(view(job)).left == f"about {shown} left"
    assert summary_of(view({"status": "processing"})).left == ""


def test_the_sum_of_estimates_names_what_is_not_known() -> None:
    known = EstimateView.model_validate({"job_type": "pdf", "pages": 14, "seconds": {"p50": 3.4, "p90": 5}})
    unknown = EstimateView(job_type="pdf", pages=1)
    assert sum_of([known, known]) == "2 files, 28 pages, about 7 s of work"
    assert sum_of([known, unknown]) == "2 files, 15 pages, about 3 s of work, without 1 file of which it is not known"
    assert sum_of([unknown]) == "1 file, 1 page, the time is not known"


@given(st.text())
def test_first_lines_are_few_short_and_never_empty(text: str) -> None:
    lines = first_lines(text, WHOLE).splitlines()

    assert 1 <= len(lines) <= TEXT_LINES + 1
    assert all(line.strip() and len(line) <= LINE_CHARS for line in lines)


@given(st.lists(st.text("abc", min_size=1, max_size=2 * LINE_CHARS), min_size=1, max_size=3 * TEXT_LINES))
def test_text_that_is_cut_is_marked_and_its_place_is_named(lines: list[str]) -> None:
    shown = first_lines("\n".join(lines), WHOLE)

    complete = len(lines) <= TEXT_LINES and all(len(line) <= LINE_CHARS for line in lines)
    assert (WHOLE in shown) is not complete
    assert ("…" in shown) is not complete
    if complete:
        assert shown == "\n".join(lines)
    elif len(lines) > TEXT_LINES:
        assert f"{len(lines) - TEXT_LINES} more line" in shown


def test_the_whole_text_is_named_with_the_folder_of_the_command() -> None:
    assert whole_text("job-1", None) == "`piperoll watch job-1 --json` prints all of it"
    assert "`piperoll watch job-1 --json --data-dir 'my data'`" in whole_text("job-1", Path("my data"))


@pytest.mark.parametrize(("from_cache", "words"), [(None, []), (True, ["copied from the cache", "force_refresh"])])
def test_a_result_of_the_cache_is_marked(from_cache: bool | None, words: list[str]) -> None:
    job = {"status": "completed"} | ({"is_from_cache": True} if from_cache else {})

    shown = origin_of_result(view(job))

    assert all(word in shown for word in words)
    assert bool(shown) is bool(words)
