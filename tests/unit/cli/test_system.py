"""`piperoll system`: the lines for people."""

from typing import Any

import pytest

from piperoll.cli.remote.system import plot_line, process_rows, queue_line, verdict_line
from piperoll.client.views.system import PlotView, QueueView, ServiceView, SystemView, VerdictView

AT = "2026-01-01T12:00:00Z"


def service(name: str, processes: list[dict[str, Any]] | None, lag: int | None = 0) -> ServiceView:
    return ServiceView.model_validate({"service": name, "processes": processes, "lag": lag})


def test_each_process_has_a_row_and_so_has_a_service_without_one() -> None:
    worker = {"instance": "w-1", "partitions": 24, "slots": 4, "running": 2}
    assert process_rows(
        [
            service("api", None, None),
            service("worker", [worker, {"instance": "w-2", "slots": 4, "running": None}], 1234),
            service("projector", [{"instance": "p-1", "partitions": 48}], None),
            service("notifier", []),
        ]
    ) == [
        ("api", "unknown", "", "", ""),
        ("worker", "w-1", "24", "4, 2 taken", "1,234"),
        ("worker", "w-2", "", "4, unknown taken", "1,234"),
        ("projector", "p-1", "48", "", "unknown"),
        ("notifier", "none runs", "", "", "0"),
    ]


def test_the_queue_names_the_job_that_has_waited_longest() -> None:
    at = SystemView.model_validate({"at": AT}).at
    oldest = {"job_id": "job-a", "owner": "acme", "job_type": "pdf", "created_at": "2026-01-01T11:00:00Z"}
    line = queue_line(QueueView.model_validate({"pending": 5, "processing": 1, "oldest": oldest}), at)
    assert line == "5 waiting, 1 running; the oldest has waited 3,600 s: job-a"
    assert queue_line(QueueView(pending=0, processing=0), at) == "0 waiting, 0 running"


def test_a_plot_is_summed_and_its_newest_durations_are_named() -> None:
    points = [
        {"at": AT, "completed": 3, "failed": 1, "cancelled": 0, "p50_s": 1.0, "p95_s": 2.5},
        {"at": "2026-01-01T12:01:00Z", "completed": 0, "failed": 0, "cancelled": 1, "p50_s": None, "p95_s": None},
    ]
    line = plot_line(PlotView.model_validate({"seconds": 60, "points": points}))
    expected = "3 completed, 1 failed, 1 cancelled; half within 1.00 s, 95 % within 2.50 s at 2026-01-01 12:00:00Z"
    assert line == expected
    assert plot_line(PlotView(seconds=60)) == "0 completed, 0 failed, 0 cancelled"


@pytest.mark.parametrize(
    ("verdict", "violations", "line"),
    [("holds", 0, "holds, 2026-01-01 12:00:00Z"), ("violated", 2, "violated: 2 violations, 2026-01-01 12:00:00Z")],
)
def test_the_verdict_has_its_time(verdict: str, violations: int, line: str) -> None:
    found = {"verdict": verdict, "ended_at": AT, "seconds": 1, "violations": violations}
    assert verdict_line(VerdictView.model_validate(found)) == line
    assert "never ran" in verdict_line(None)
