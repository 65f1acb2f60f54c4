"""Pages whose work fails in the child, beside those that ended one."""

from collections.abc import Iterator
from typing import NoReturn

import pytest

from schemas.errors import ErrorCode
from services.worker.errors import ProcessingError
from services.worker.processors.pdf.texts import Texts, require_some
from services.worker.run import page_care
from services.worker.run.page_care import PageFailedError, PageStep, at_page, skipped_pages

BROKEN = [Texts("ocr", broken=[1, 2])]


@pytest.fixture(autouse=True)
def _run() -> Iterator[None]:
    """Begin a run before and after the test."""
    page_care.begin([])
    yield
    page_care.begin([])


def out_of_memory() -> NoReturn:
    raise MemoryError


def hang() -> NoReturn:
    raise PageFailedError("too long")


@pytest.mark.parametrize("work", [out_of_memory, hang])
def test_a_page_that_fails_is_named_and_the_next_one_is_worked_on(work: object) -> None:
    assert at_page("ocr", 2, work) is None  # type: ignore[arg-type]
    assert at_page("ocr", 3, lambda: "read") == "read"
    assert skipped_pages() == [2]


def test_pages_that_ended_a_child_are_named_with_those_that_failed() -> None:
    page_care.begin([PageStep("draw", 1)])
    at_page("ocr", 2, hang)
    assert skipped_pages() == [1, 2]


def test_failed_pages_belong_to_their_run() -> None:
    at_page("ocr", 2, hang)
    page_care.begin([])
    assert skipped_pages() == []


@pytest.mark.parametrize("error", [ProcessingError(ErrorCode.PROVIDER_ERROR, "Away."), ValueError("odd")])
def test_other_errors_end_the_run(error: Exception) -> None:
    def fail() -> NoReturn:
        raise error

    with pytest.raises(type(error)):
        at_page("ocr", 2, fail)
    assert skipped_pages() == []


def test_a_document_is_not_damaged_when_memory_ran_out_on_every_page() -> None:
    for page in (1, 2):
        at_page("ocr", page, out_of_memory)
    with pytest.raises(MemoryError):
        require_some(BROKEN)


def test_a_document_of_which_every_page_failed_is_refused_with_the_reason() -> None:
    for page, work in ((1, out_of_memory), (2, hang)):
        at_page("ocr", page, work)
    with pytest.raises(ProcessingError, match="crashed, took too long or needed too much memory") as caught:
        require_some(BROKEN)
    assert caught.value.code is ErrorCode.INVALID_PDF


def test_a_document_without_failed_work_is_called_damaged() -> None:
    with pytest.raises(ProcessingError, match="none of its pages can be read"):
        require_some(BROKEN)
