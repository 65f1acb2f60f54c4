"""Which of a run's progress reaches the log when it comes faster than anybody reads."""

from piperoll.clock import utc_now
from schemas.events import JobProgress
from schemas.pages import PageRecords
from schemas.topics import JOB_EVENTS
from services.worker.children.protocol import RunProgress
from services.worker.manager.journal import Journal
from services.worker.manager.run_end import ProgressWriter
from tests.support.memory_log import MemoryLog
from tests.support.waiting import wait_until


def reporter_over(log: MemoryLog, has_webhook: bool = True) -> tuple[ProgressWriter, Journal]:
    journal = Journal(log, utc_now, "job-1", "local", "run-1")
    return ProgressWriter(journal, "run-1", has_webhook), journal


def report(reporter: ProgressWriter, *reports: tuple[str, int]) -> None:
    for step, percent in reports:
        reporter.report(RunProgress(step=step, percent=percent))


async def steps_in(log: MemoryLog) -> list[str]:
    records = await log.read_range(JOB_EVENTS, {0: 0}, await log.end_offsets(JOB_EVENTS))
    facts = [record.fact().data for record in records]
    return [fact.step for fact in facts if isinstance(fact, JobProgress)]


async def test_progress_that_comes_too_soon_waits_and_only_the_newest_is_written() -> None:
    log = MemoryLog(partitions=1)
    reporter, _ = reporter_over(log)
    report(reporter, ("initializing", 0), ("reading_file", 10), ("extracting_text", 30))

    async def both() -> bool:
        return len(await steps_in(log)) == 2

    await wait_until(both, 5, "the progress that waited")
    assert await steps_in(log) == ["initializing", "extracting_text"]


async def test_the_first_progress_of_a_run_is_written_at_once_where_a_webhook_waits_for_it() -> None:
    log = MemoryLog(partitions=1)
    reporter, journal = reporter_over(log)
    report(reporter, ("initializing", 0))
    await journal.flush()
    assert await steps_in(log) == ["initializing"]


async def test_a_short_run_writes_no_progress_before_its_end() -> None:
    log = MemoryLog(partitions=1)
    reporter, journal = reporter_over(log, has_webhook=False)
    report(reporter, ("initializing", 0), ("reading_file", 10))
    reporter.close()
    await journal.flush()
    assert await steps_in(log) == []


async def test_a_longer_run_without_a_webhook_writes_the_newest_progress() -> None:
    log = MemoryLog(partitions=1)
    reporter, _ = reporter_over(log, has_webhook=False)
    report(reporter, ("initializing", 0), ("reading_file", 10))

    async def written() -> bool:
        return len(await steps_in(log)) == 1

    await wait_until(written, 5, "the progress that waited")
    assert await steps_in(log) == ["reading_file"]


async def test_progress_that_waits_when_the_run_ends_is_never_written() -> None:
    log = MemoryLog(partitions=1)
    reporter, journal = reporter_over(log)
    report(reporter, ("initializing", 0), ("finalizing", 90))
    reporter.close()
    report(reporter, ("late", 95))

    async def written() -> bool:
        return len(await steps_in(log)) == 2

    await wait_until(written, 5, "the progress reported after the end")
    await journal.flush()
    assert await steps_in(log) == ["initializing", "late"]


async def test_progress_names_the_records_of_pages_when_there_are_more_of_them() -> None:
    log = MemoryLog(partitions=1)
    reporter, journal = reporter_over(log)
    first, more = (PageRecords(run="run-1", key="0f", count=count, last=9 * count) for count in (1, 2))
    for percent, records in ((0, None), (10, first), (20, first), (30, more)):
        progress = RunProgress(step="extracting_text", percent=percent, page_records=records)
        reporter._append(progress)  # without the pause between two facts
    await journal.flush()
    facts = await log.read_range(JOB_EVENTS, {0: 0}, await log.end_offsets(JOB_EVENTS))
    assert [one.fact().data.page_records for one in facts] == [None, first, None, more]
