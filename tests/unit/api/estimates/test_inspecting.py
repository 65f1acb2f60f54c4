"""An inspection for an estimate: what it found stands, also where its erasure is not acknowledged."""

from types import SimpleNamespace
from typing import Any

import pytest

from schemas.claims import Claim
from schemas.errors import ErrorCode
from schemas.events import JobCompleted, JobCreated, JobStarted
from schemas.job_types.inspection import INSPECTION, LOOKED_AT, WITH_TEXT
from schemas.job_types.page_work import PageWork
from services.api.estimates.inspecting import Inspected, Inspector
from services.api.http.caller import Caller
from services.api.http.errors import UnavailableError
from services.api.jobs.requests import Submission
from services.api.read_model.job_rows import JobRow
from tests.support.rows import JOB, row_of

CALLER = Caller("acme", "key-1", frozenset({"jobs"}))
CLAIM = Claim(uri="p", sha256="0", size=2)
SENT = {"filename": "a.pdf"}
WORK = PageWork(with_text="native", without_text="ocr")
ENDED = row_of(
    [
        JobCreated(job_type=INSPECTION.name, parameters=CLAIM, body_sha256="0"),
        JobStarted(number=1, run="a", worker="w"),
        JobCompleted(run="a", result=CLAIM, pages=9, counts={WITH_TEXT: 6, LOOKED_AT: 8}),
    ]
)


@pytest.mark.parametrize(
    ("row", "expected"),
    [(ENDED, Inspected(pages=9, with_text=6, looked_at=8)), (None, None)],
    ids=["ended", "not in time"],
)
async def test_an_erasure_that_is_not_acknowledged_costs_no_estimate(
    row: JobRow | None, expected: Inspected | None
) -> None:
    erased: list[tuple[str, Claim | None]] = []

    async def create(*_: Any, **__: Any) -> Any:
        return SimpleNamespace(subject=JOB)

    async def ended(*_: Any) -> JobRow | None:
        return row

    async def erase(job_id: str, parameters: Claim | None, _: Caller) -> None:
        erased.append((job_id, parameters))
        raise UnavailableError(ErrorCode.OUTCOME_UNKNOWN, "Kafka did not acknowledge in time")

    creator: Any = SimpleNamespace(job=create)
    reading: Any = SimpleNamespace(ended=ended)
    commands: Any = SimpleNamespace(erase_job=erase)
    job = Submission("pdf", SENT, INSPECTION.parameters.model_validate({"file": "a.pdf"}), None, "0")
    assert await Inspector(creator, reading, commands).inspect(job, WORK, CALLER) == expected
    assert erased == [(JOB, None if row is None else CLAIM)]
