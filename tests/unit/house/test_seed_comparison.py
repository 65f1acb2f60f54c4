"""The comparison that the contract tests rest on: it must see what differs."""

from typing import Any

import pytest

from tests.support.seed import require_like

SEED = {
    "status": "success",
    "data": {
        "job_id": "job-1",
        "created_at": "2024-01-01T00:00:00Z",
        "count": 2,
        "parameters": {...},
        "jobs": [...],
        "logs": [{"level": "info", "message": "Job started"}],
    },
}
DATA = {
    "job_id": "job-9f",
    "created_at": "2026-02-03T04:05:06Z",
    "count": 7,
    "parameters": {"a": 1},
    "jobs": [],
    "logs": [{"level": "info", "message": "x"}, {"level": "info", "message": "y"}],
}


def answer(**changes: Any) -> dict[str, Any]:
    return {"status": "success", "data": {**DATA, **changes}}


def test_other_values_of_the_same_kind_are_alike() -> None:
    require_like(answer(), SEED)
    require_like(answer(user_id="me"), SEED, {"$.data": ["user_id"]})


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"job_id": 7}, "$.data.job_id is 7"),
        ({"job_id": None}, "$.data.job_id is None"),
        ({"created_at": "2026-02-03 04:05:06"}, "$.data.created_at"),
        ({"created_at": "2026-02-03T04:05:06.123Z"}, "$.data.created_at"),
        ({"count": "7"}, "$.data.count"),
        ({"count": True}, "$.data.count"),
        ({"parameters": []}, "$.data.parameters is not of type dict"),
        ({"jobs": {}}, "$.data.jobs is not of type list"),
        ({"logs": []}, "$.data.logs is empty"),
        ({"logs": [*DATA["logs"], {"level": "info"}]}, "$.data.logs[] lacks"),
        ({"logs": [{"level": "loud", "message": "x"}]}, "$.data.logs[].level is 'loud'"),
        ({"more": 1}, "$.data has ['more']"),
    ],
    ids=repr,
)
def test_what_differs_is_named_with_its_place(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(AssertionError) as refused:
        require_like(answer(**changes), SEED)
    assert sentence in str(refused.value)


def test_a_key_that_is_missing_and_a_word_that_is_another_are_both_named() -> None:
    with pytest.raises(AssertionError) as refused:
        require_like({"status": "ok", "data": {**DATA, "job_id": "x"}}, {**SEED, "extra": 1})
    assert "$ lacks ['extra']" in str(refused.value)
    assert "$.status is 'ok'" in str(refused.value)
