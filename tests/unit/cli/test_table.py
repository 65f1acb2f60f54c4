"""The live table of many files."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console
from rich.progress import Progress

from piperoll.cli.remote.table import FileTable
from piperoll.client import JobView


def job(job_id: str, **more: Any) -> JobView:
    known = {"job_id": job_id, "job_type": "pdf", "status": "processing", "created_at": "2026-01-01T00:00:00Z"}
    return JobView.model_validate({**known, "progress": {"step": "extracting_text", "percent": 40}, **more})


def lasting(seconds: float) -> dict[str, Any]:
    return {"eta": {"time": "2026-01-01T00:00:00Z", "seconds": seconds}}


def test_each_file_and_the_sum_show_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    progress = Progress(console=Console(file=StringIO()))
    table = FileTable(2, progress)
    for name in ("a", "b"):
        table.created(f"{name}.pdf", f"job-{name}")

    def details() -> list[str]:
        return [str(task.fields["detail"]) for task in progress.tasks]

    table.changed(job("job-a", **lasting(3000)))
    table.changed(job("job-b", **lasting(600)))
    assert details() == [
        "about 50 min left",
        "extracting text, about 50 min left",
        "extracting text, about 10 min left",
    ]
    table.ended("a.pdf", "completed")
    assert details() == ["about 10 min left", "extracting text, about 10 min left"]
    table.changed(job("job-b"))
    assert details() == ["", "extracting text"]
    assert "a.pdf" in capsys.readouterr().out
