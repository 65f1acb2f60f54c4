"""How commands print: labels, numbers of things, reports."""

from pathlib import Path

import pytest

from piperoll.cli.console import counted, entry
from piperoll.cli.sweep import show
from piperoll.cli.tables import lines_of
from services.projector.verify.run import VerifyReport
from tests.support.runs.sweeping import Sweeping, sweeping


@pytest.mark.parametrize("label", ["", "job", "in progress", "installation", "0199d2b4-job-with-a-long-id"])
def test_a_label_is_never_joined_to_its_text(label: str, capsys: pytest.CaptureFixture[str]) -> None:
    entry(label, "first\nsecond")

    first, second = capsys.readouterr().out.splitlines()
    assert first.index("first") == second.index("second")
    assert first.startswith(f"  {label}  ")


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "0 batches"), (1, "1 batch"), (2, "2 batches"), (12345, "12,345 batches")]
)
def test_a_number_of_things_has_the_right_word(number: int, shown: str) -> None:
    assert counted(number, "batch", "batches") == shown
    assert counted(number, "job") == shown.replace("batches", "jobs").replace("batch", "job")


def test_one_of_each_is_singular_in_the_report_of_verify() -> None:
    report = VerifyReport(
        records=1, jobs=1, batches=1, documents=1, folders=1, indexes=1, endpoints=1, deliveries=1, open_jobs=1,
        hooks_due=1, parked=1,
    )  # fmt: skip

    lines = dict(lines_of(report))

    assert lines["compared"] == "1 job, 1 batch, 1 delivery fact\n1 document, 1 folder, 1 index, 1 endpoint"
    assert lines["in progress"] == "1 job, 1 webhook of ended jobs"
    assert lines["read"].startswith("1 record of the log")
    assert lines["parked"].startswith("1 key with")
    assert lines["verdict"] == "holds"


def test_nothing_is_plural_in_the_report_of_verify() -> None:
    lines = dict(lines_of(VerifyReport()))

    assert lines["compared"].startswith("0 jobs, 0 batches, 0 delivery facts\n0 documents")
    assert "parked" not in lines


def test_a_plan_of_a_sweep_that_deletes_nothing_has_no_empty_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story(one: Sweeping) -> None:
        await one.finished("job-1")
        plan = await one.plan()
        assert not plan.doomed
        show(plan)

    sweeping(tmp_path, story)

    lines = capsys.readouterr().out.splitlines()
    assert "a sweep decides about" in lines[0]
    assert "nothing" in lines[1]
    assert "" not in lines
