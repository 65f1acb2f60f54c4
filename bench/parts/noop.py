"""No-op jobs/s until they are readable and their webhooks are answered; CPU, log bytes and table rows of a job."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bench.accounts import PROCESSES, Spent
from bench.parts import costs
from bench.programs.calls import Program
from bench.report import Row, Table, at_least
from bench.rig import Rig
from piperoll.log.kafka import KafkaOffsets

JOBS = 1500  # of one burst: three seconds
ROUNDS = 3
CONCURRENCY = 32
AIM, AIM_WITH_WEBHOOKS = 500, 300  # jobs/s


@dataclass(frozen=True, slots=True)
class Burst:
    """One run. `generator_share` is of one core; `spent` is in seconds."""

    jobs: int
    per_second: float
    posts_per_second: float
    hooks_per_job: float
    commits_per_job: float
    generator_share: float
    spent: Spent

    def cpu_ms(self, process: str) -> float:
        """CPU milliseconds of a job."""
        return 1000 * self.spent.by_process.get(process, 0.0) / self.jobs


async def measure(rig: Rig, receiver: Program) -> tuple[list[Row], list[Table]]:
    """Run bursts without and with webhooks; the latter are also measured by what they write."""
    plain = await _rounds(rig)
    offsets = KafkaOffsets(rig.settings)
    await offsets.start()
    try:
        before = await costs.mark(rig, offsets)
        hooked = await _rounds(rig, receiver)
        written = await costs.between(offsets, before, await costs.mark(rig, offsets), JOBS * ROUNDS)
    finally:
        await offsets.stop()
    rows = [
        at_least("No-op jobs/s", plain[0].per_second, AIM, _range(plain)),
        at_least("No-op jobs/s, one webhook each", hooked[0].per_second, AIM_WITH_WEBHOOKS, _range(hooked)),
    ]
    return rows, [_cpu(plain[0], hooked[0]), *written]


async def burst(rig: Rig, jobs: int, receiver: Program | None = None) -> Burst:
    """Post no-op jobs, each with a webhook if there is a receiver, and wait for their end and their webhooks."""
    parameters = [{"webhook": {"url": f"http://127.0.0.1:{receiver.first['port']}/hook"}} if receiver else {}] * jobs
    if receiver is not None:
        receiver.send(str(jobs))
        await receiver.receive()
    before, commits = rig.accounts().usage(), rig.projected.commits
    run = await rig.run(rig.order("noop", parameters, concurrency=CONCURRENCY))
    received = await receiver.receive() if receiver is not None else {"at": 0.0, "hooks": 0, "cpu_s": 0.0}
    seconds = max(*run.readable.values(), received["at"]) - run.answer.began
    bench_cpu_s = run.answer.cpu_s + received["cpu_s"]
    return Burst(
        jobs=jobs,
        per_second=jobs / seconds,
        posts_per_second=run.answer.posts_per_second(),
        hooks_per_job=received["hooks"] / jobs,
        commits_per_job=(rig.projected.commits - commits) / jobs,
        generator_share=bench_cpu_s / seconds,
        spent=rig.accounts().usage().since(before, bench_cpu_s),
    )


async def _rounds(rig: Rig, receiver: Program | None = None) -> list[Burst]:
    """Run several bursts; the median one (by jobs/s) comes first."""
    bursts = [await burst(rig, JOBS, receiver) for _ in range(ROUNDS)]
    middle = median(one.per_second for one in bursts)
    return sorted(bursts, key=lambda one: abs(one.per_second - middle))


def _range(bursts: Sequence[Burst]) -> str:
    rates = [one.per_second for one in bursts]
    posts = bursts[0].posts_per_second
    return f"{min(rates):,.0f} to {max(rates):,.0f} in {len(rates)} rounds; {posts:,.0f} POST/s meanwhile"


def _cpu(plain: Burst, hooked: Burst) -> Table:
    both = (plain, hooked)
    rows: list[Row] = [(name, *(f"{one.cpu_ms(name):.2f}" for one in both)) for name in PROCESSES]
    rows += [
        ("all", *(f"{sum(map(one.cpu_ms, PROCESSES)):.2f}" for one in both)),
        ("load generator and receiver, share of a core", *(f"{one.generator_share:.0%}" for one in both)),
        ("other processes, share of the machine", *(f"{one.spent.elsewhere:.0%}" for one in both)),
        ("projector commits per job", *(f"{one.commits_per_job:.2f}" for one in both)),
        ("webhooks per job", *(f"{one.hooks_per_job:.2f}" for one in both)),
    ]
    return Table("CPU per job, in ms", ("Process", "no-op", "with a webhook"), rows)
