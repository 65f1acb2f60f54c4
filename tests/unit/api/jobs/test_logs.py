"""The log of a job as clients see it."""

from dataclasses import replace

from schemas.events import (
    JobReleased,
    JobRetryScheduled,
    JobStarted,
    WebhookAbandoned,
    WebhookRedeliveryRequested,
)
from services.api.jobs.views import job_view
from tests.support.histories.jobs import completed, created, life
from tests.support.rows import CONTENTS, messages, row_of


def test_the_log_lists_retries_releases_and_lost_workers() -> None:
    events = [
        created(),
        JobStarted(number=1, run="a", worker="w"),
        JobRetryScheduled(run="a", error_code="PROCESSOR_CRASHED", delay_s=5),
        JobStarted(number=2, run="b", worker="w"),
        JobReleased(run="b", reason="drain"),
        JobStarted(number=3, run="c", worker="w"),
        JobStarted(number=4, run="d", worker="w"),
        completed("d"),
    ]
    abandoned = WebhookAbandoned(delivery_id="msg_1", phase="completed", attempt=1, reason="GONE", status=410)
    logged = messages(job_view(row_of(events, (abandoned,)), CONTENTS))
    assert [level for level, _ in logged] == ["info", "warning", "info", "info", "info", "warning", "info", "warning"]
    assert logged[0][1] == "Job started"
    assert "Attempt 1 failed: The processor crashed on this input." in logged[1][1]
    assert logged[5][1] == "Attempt 3 lost its worker; attempt 4 started"
    assert logged[6][1] == "Processing completed"
    assert "given up" in logged[7][1]
    assert "410" in logged[7][1]


def test_a_requested_redelivery_is_logged_and_is_not_a_failure() -> None:
    asked = WebhookRedeliveryRequested(delivery_id="msg_1", phase="completed", request="a", by="acme")
    logged = messages(job_view(row_of(life(), (asked,)), CONTENTS))
    assert logged[-1] == ("info", "Webhook (completed) was requested again")


def test_notes_of_a_run_are_in_the_log_and_not_in_the_results() -> None:
    result = {"structured_data": {}, "assets": [], "target_dir": "/out", "notes": ["Fields were filled by rules."]}
    view = job_view(row_of(life()), replace(CONTENTS, result=result))
    assert messages(view)[-2:] == [("info", "Fields were filled by rules."), ("info", "Processing completed")]
    assert "notes" not in view["results"]


def test_a_cached_result_is_marked() -> None:
    events = [*life()[:-1], life()[-1].model_copy(update={"from_cache": True})]
    view = job_view(row_of(events), CONTENTS)
    assert view["is_from_cache"] is True
    assert messages(view)[-1] == ("info", "Processing completed from the cache")
    assert "is_from_cache" not in job_view(row_of(life()), CONTENTS)
