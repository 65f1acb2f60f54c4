"""A rebuild and a verification of the read model of many jobs, and the reads meanwhile."""

from collections.abc import Awaitable, Callable
from pathlib import Path

from bench.parts import noop
from bench.programs.calls import Program, running
from bench.report import Row, Table
from bench.rig import Rig, started
from piperoll.settings import Settings
from services.projector.rebuild import Rebuilt, rebuild
from services.projector.verify.run import VerifyReport, verify

BURSTS, BURST = 10, 2000
COLUMNS = ("What", "Records", "Seconds", "Records/s", "Reads meanwhile", "Longest read, ms")


class NotVerifiedError(RuntimeError):
    """The read model does not equal the log: what was measured is not a rebuild."""


async def measure(data: Path) -> Table:
    """Run the jobs, then rebuild and verify, each beside a client that reads."""
    async with started(data) as rig:
        for _ in range(BURSTS):
            await noop.burst(rig, BURST)
        stack, job_id = rig.stack, await rig.database.fetchval("SELECT min(job_id) FROM read_v1.jobs")
        async with running("bench.programs.reading", stack.api_url, stack.api_key, job_id) as reader:
            rows = [await _measured("rebuild", rebuild, rig, reader), await _measured("verify", _verified, rig, reader)]
    note = (
        f"{BURSTS * BURST:,} no-op jobs, idle services. One client on the same machine reads a job over HTTP all the "
        "time; every answer is 200. Verify also looks at the stored blobs."
    )
    return Table("Rebuild and verification of the read model", COLUMNS, rows, note)


async def _verified(settings: Settings) -> VerifyReport:
    report = await verify(settings)
    if not report.holds:
        raise NotVerifiedError(str(report.violations[:3]))
    return report


async def _measured(
    what: str, work: Callable[[Settings], Awaitable[Rebuilt | VerifyReport]], rig: Rig, reader: Program
) -> Row:
    await _reads(reader)
    result = await work(rig.settings)
    reads, longest = await _reads(reader)
    rate = result.records / result.seconds
    return (what, f"{result.records:,}", f"{result.seconds:.1f}", f"{rate:,.0f}", f"{reads:,}", f"{1000 * longest:.0f}")


async def _reads(reader: Program) -> tuple[int, float]:
    """The number of reads since the last question, and the longest in seconds."""
    reader.send("")
    answer = await reader.receive()
    return answer["reads"], answer["longest"]
