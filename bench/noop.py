"""No-op jobs as fast as they go: jobs a second until readable and told, and the CPU that each took."""

from dataclasses import dataclass
from statistics import median

from bench import accounts
from bench.accounts import Spent
from bench.programs import Program, generate
from bench.rig import Rig

CONCURRENCY = 32


@dataclass(frozen=True, slots=True)
class Burst:
    """One run. Rates are per second; `generator_share` is of one core; `spent` is by process, in seconds."""

    jobs: int
    per_second: float
    posts_per_second: float
    hooks_per_job: float
    commits_per_job: float
    generator_share: float
    spent: Spent

    def cpu_ms(self, process: str) -> float:
        """CPU milliseconds a job."""
        return 1000 * self.spent.by_process.get(process, 0.0) / self.jobs


async def burst(rig: Rig, jobs: int, receiver: Program | None = None) -> Burst:
    """Posts `jobs` no-op jobs, each with a webhook if there is a receiver, and waits for the last word about them."""
    parameters = [{"webhook": {"url": f"http://127.0.0.1:{receiver.first['port']}/hook"}} if receiver else {}] * jobs
    if receiver is not None:
        receiver.tell(str(jobs))
        await receiver.hear()
    before, records, commits = rig.accounts().usage(), rig.projected.records, rig.projected.commits
    answer = await generate(rig.order("noop", parameters, concurrency=CONCURRENCY))
    readable = await rig.projected.completed([one.job_id for one in answer.posted], records)
    told = await receiver.hear() if receiver is not None else {"at": 0.0, "hooks": 0, "cpu_s": 0.0}
    ended = max(*readable.values(), told["at"])
    spent = accounts.spent(before, rig.accounts().usage(), answer.cpu_s + told["cpu_s"])
    return Burst(
        jobs=jobs,
        per_second=jobs / (ended - answer.began),
        posts_per_second=jobs / (answer.acknowledged - answer.began),
        hooks_per_job=told["hooks"] / jobs,
        commits_per_job=(rig.projected.commits - commits) / jobs,
        generator_share=(answer.cpu_s + told["cpu_s"]) / (ended - answer.began),
        spent=spent,
    )


async def rounds(rig: Rig, count: int, jobs: int, receiver: Program | None = None) -> list[Burst]:
    """Several runs, the middle one (by jobs a second) first."""
    bursts = [await burst(rig, jobs, receiver) for _ in range(count)]
    middle = median(one.per_second for one in bursts)
    return sorted(bursts, key=lambda one: abs(one.per_second - middle))
