"""The query string of `GET /v1/jobs`."""

import pytest
from starlette.datastructures import QueryParams

from schemas.devana import STATUSES
from services.api.devana_jobs.requests import DevanaJobsQuery
from services.api.http.errors import ApiError
from tests.support.devana import TYPES

VISIBLE = ("pending", "processing", "completed", "failed")


def asked(query: str) -> DevanaJobsQuery:
    return DevanaJobsQuery.of(QueryParams(query))


def test_without_filters_every_status_except_killed_is_listed() -> None:
    found = asked("")
    assert (found.job_types, found.statuses, found.target_id) == (tuple(TYPES), VISIBLE, None)
    assert (found.limit, found.offset) == (25, 0)


@pytest.mark.parametrize(
    ("query", "types", "statuses"),
    [
        ("type=ERROR", tuple(TYPES), ("failed",)),
        ("type=EXTRACTION", ("extraction", "pdf"), VISIBLE),
        ("status=IN_PROGRESS", tuple(TYPES), ("processing",)),
        ("type=EXTRACTION&status=ERROR", ("extraction", "pdf"), ("failed",)),
        ("type=EXTRACTION&type=ERROR", ("extraction", "pdf"), ("failed",)),
        ("type=SYNC&type=SYNC", ("sync",), VISIBLE),
        ("type=SYNC&type=EMBEDDING", ("sync", "embedding"), VISIBLE),
        ("type=PENDING&type=IN_PROGRESS", tuple(TYPES), ("pending", "processing")),
        ("type=DONE&status=ERROR", tuple(TYPES), ()),
        ("type=KILLED", tuple(TYPES), ()),
        ("status=KILLED&type=SYNC", ("sync",), ()),
    ],
)
def test_type_accepts_types_and_statuses_and_filters_combine(
    query: str, types: tuple[str, ...], statuses: tuple[str, ...]
) -> None:
    found = asked(query)
    assert (found.job_types, found.statuses) == (types, statuses)


@pytest.mark.parametrize(
    ("query", "limit", "offset"),
    [
        ("limit=1", 1, 0),
        ("limit=100", 100, 0),
        ("limit=101", 100, 0),
        (f"limit={'9' * 30}", 100, 0),
        ("offset=1000", 25, 1000),
        ("limit=10&offset=20&_=17&page=2", 10, 20),
    ],
)
def test_limits_are_clamped_and_unknown_names_ignored(query: str, limit: int, offset: int) -> None:
    found = asked(query)
    assert (found.limit, found.offset) == (limit, offset)


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=ten",
        "limit=",
        "limit=2.5",
        "limit=%202",
        "limit=%D9%A3",
        f"limit={'9' * 5000}",
        "offset=1001",
        "offset=-1",
        "offset=x",
        f"offset={'9' * 30}",
        "type=noop",
        "type=error",
        "type=",
        "type=EXTRACTION&type=PDF",
        "status=EXTRACTION",
        "status=done",
        "targetId=%00",
    ],
)
def test_an_invalid_query_is_refused(query: str) -> None:
    with pytest.raises(ApiError) as caught:
        asked(query)
    assert (caught.value.status, caught.value.code) == (400, "INVALID_PARAMETERS")


def test_an_unknown_type_is_refused_with_all_that_are_known() -> None:
    with pytest.raises(ApiError) as caught:
        asked("type=NONE")
    assert set(caught.value.details["supported"]) == {*TYPES.values(), *STATUSES.values()}
