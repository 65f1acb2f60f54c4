"""Content of documents and folders that no fact names: deleted as other ids without a fact are, on the same proof."""

import asyncio
from pathlib import Path
from typing import get_args

import pytest

from piperoll.cli.sweep import WHY, show
from piperoll.log.record import partition_of
from piperoll.store import document_paths as documents
from schemas.events import Event
from services.worker.cleanup.sweep.evidence import Reason
from tests.support.histories.documents import CLOSED, REMOVED, added, made
from tests.support.runs.sweeping import ENOUGH_S, HOUR_S, INTERVAL_S, Sweeping, sweeping

NOT_YET_S = 42 * HOUR_S
NAMED = {"documents/doc-named/a", "folders/folder-named/details/a"}
LOST = {"documents/doc-lost/a", "documents/doc-lost/details/b", "folders/folder-lost/details/a"}


async def begin(one: Sweeping) -> None:
    """A document and a folder that facts name, and others of requests that failed."""
    one.put(*NAMED, *LOST)
    await one.append("doc-named", added())
    await one.append("folder-named", made())
    await one.finished("job-1")


def content(one: Sweeping) -> set[str]:
    return {uri for uri in one.names() if uri.startswith((documents.FOLDER, documents.FOLDERS))}


def test_what_no_fact_names_is_deleted_after_two_days_of_the_log(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await begin(one)
        await one.go_on(NOT_YET_S)
        assert content(one) == NAMED | LOST
        await one.go_on(2 * INTERVAL_S)
        assert content(one) == NAMED

    sweeping(tmp_path, story, partitions=3)


def test_a_new_process_goes_on_with_the_notes_of_the_one_before(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await begin(one)
        for number in range(int(ENOUGH_S // INTERVAL_S)):
            await one.finished(f"job-other-{number}")  # a new process has the log's time from its newest record
            await one.once()
            await asyncio.sleep(INTERVAL_S)
            one.restart()
        assert content(one) == NAMED

    sweeping(tmp_path, story, partitions=3)


def test_a_fact_that_arrives_late_keeps_its_content(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await begin(one)
        await one.go_on(NOT_YET_S)
        await one.append("doc-lost", added())
        await one.go_on()
        assert "documents/doc-lost/a" in one.names()
        assert "folders/folder-lost/details/a" not in one.names()

    sweeping(tmp_path, story, partitions=3)


@pytest.mark.parametrize("written", [False, True])
def test_a_fact_or_a_write_between_the_plan_and_the_deletion_keeps_the_content(tmp_path: Path, written: bool) -> None:
    async def story(one: Sweeping) -> None:
        await begin(one)
        await one.go_on(NOT_YET_S)
        await asyncio.sleep(INTERVAL_S)
        plan = await one.plan()
        assert sorted(found.name for found in plan.doomed) == ["documents/doc-lost", "folders/folder-lost"]
        if written:
            one.put("documents/doc-lost/another")
        else:
            await one.append("doc-lost", added())
        await one.sweep.carry_out(plan, asyncio.Event())
        assert "documents/doc-lost/a" in one.names()
        assert "folders/folder-lost/details/a" not in one.names()

    sweeping(tmp_path, story, partitions=3)


def test_content_that_is_written_again_is_spared_for_as_long_as_new_content(tmp_path: Path) -> None:
    """As by a synchronisation that fails every night and succeeds at last."""

    async def story(one: Sweeping) -> None:
        await begin(one)
        for _ in range(8):
            await one.go_on(4 * INTERVAL_S)
            one.put("documents/doc-lost/a")
        assert "documents/doc-lost/a" in one.names()

    sweeping(tmp_path, story, partitions=3)


@pytest.mark.parametrize("fact", [REMOVED, CLOSED])
def test_what_is_left_of_a_removed_one_is_not_the_sweep_s(tmp_path: Path, fact: Event) -> None:
    async def story(one: Sweeping) -> None:
        await begin(one)
        for subject in ("doc-lost", "folder-lost"):
            await one.append(subject, fact)
        await one.go_on(deep=True)
        assert content(one) == NAMED | LOST

    sweeping(tmp_path, story, partitions=3)


def test_a_document_in_an_index_was_in_some_log_and_stays(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await begin(one)
        one.put(documents.index_mark("job-1", "run", "doc-lost"))
        await one.go_on(deep=True)
        assert content(one) - NAMED == {uri for uri in content(one) if "doc-lost" in uri}
        assert "documents/doc-lost/a" in one.names()

    sweeping(tmp_path, story, partitions=3)


def test_nothing_of_another_worker_s_partitions_is_deleted(tmp_path: Path) -> None:
    async def story(one: Sweeping) -> None:
        await begin(one)
        mine = [part for part in range(3) if part != partition_of("doc-lost", 3)]
        one.restart(mine)
        await one.go_on()
        assert "documents/doc-lost/a" in one.names()

    sweeping(tmp_path, story, partitions=3)


def test_a_topic_of_documents_that_lost_its_oldest_records_proves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(one: Sweeping) -> None:
        await begin(one)
        real = one.log.begin_offsets

        async def begins(topic: object) -> dict[int, int]:
            return dict.fromkeys(await real(topic), 1)  # type: ignore[arg-type]

        monkeypatch.setattr(one.log, "begin_offsets", begins)
        await one.go_on()
        assert content(one) == NAMED | LOST

    sweeping(tmp_path, story, partitions=3)


@pytest.mark.parametrize(("named", "lost", "kept"), [(0, 50, False), (900, 51, True), (1000, 51, False)])
def test_the_brake_is_on_by_the_share_of_unnamed_content_alone(
    tmp_path: Path, named: int, lost: int, kept: bool
) -> None:
    """As with an older copy of the topic of documents, however many blobs of jobs there are."""

    async def story(one: Sweeping) -> None:
        one.put(*(f"job-1/run/{number}" for number in range(2000)))
        await one.finished("job-1")
        for number in range(named):
            one.put(f"documents/doc-{number}/a")
            await one.append(f"doc-{number}", added())
        one.put(*(f"documents/doc-lost-{number}/a" for number in range(lost)))
        plan = await one.go_on()
        assert bool(one.names("documents/doc-lost-0/")) is kept
        assert (plan.stopped is not None and f"{lost} of {named + lost} blobs of documents" in plan.stopped) is kept

    sweeping(tmp_path, story)


def test_a_dry_run_shows_what_is_deleted_for_every_reason(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def story(one: Sweeping) -> None:
        await begin(one)
        await one.go_on(NOT_YET_S)
        await asyncio.sleep(INTERVAL_S)
        show(await one.plan())

    sweeping(tmp_path, story, partitions=3)
    shown = capsys.readouterr().out
    assert "3 blobs  content of documents and folders that no fact in the log names" in shown
    assert "documents/doc-lost" in shown
    assert WHY.keys() == set(get_args(Reason))
