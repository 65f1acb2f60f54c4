"""The account after rolling restarts: everything that was acknowledged ended once, and its hooks and notices came."""

from contextlib import suppress

from tests.chaos.roll.fleet import Fleet
from tests.chaos.roll.requests import Seen
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import Json, System, is_final
from tests.support.waiting import PATIENCE_S, NeverHappenedError, wait_until

NOTICES = "/notices"
LAST = "DONE"


async def account(running: Fleet, seen: Seen, ended: list[Json]) -> list[str]:
    """Wait for every final webhook and notice; return what is wrong with ends, webhooks, notices and documents."""
    jobs = [str(job["job_id"]) for job in ended]
    broken = [] if len(set(jobs)) == len(jobs) else ["two requests with different keys were answered by one job"]
    for job in ended:
        if job["status"] != "completed":
            broken.append(f"{job['job_id']} is {job['status']}: {job.get('error')}")
    broken += await _documents(running.system, seen)
    broken += await _hooks(running.system, jobs)
    noticed = {str(job["job_id"]) for job in ended if job["job_type"] == "extraction"}
    broken += await _notices(running.notices, noticed | {*seen.kept.values()})
    return broken + await _log(running.system, seen)


async def _documents(system: System, seen: Seen) -> list[str]:
    """Each document is read, or gone once it was removed."""
    wanted = dict.fromkeys(seen.documents, (200, LAST)) | dict.fromkeys(seen.removed, (404, ""))
    found: dict[str, tuple[int, str]] = {}

    async def all_as_wanted() -> bool:
        for one in wanted.keys() - {one for one, state in found.items() if state == wanted[one]}:
            reply = await system.client.get(f"/v1/documents/{one}/status")
            found[one] = (reply.status_code, str(reply.json()["data"]) if reply.is_success else "")
        return found == wanted

    try:
        await wait_until(all_as_wanted, PATIENCE_S, "every document to be read or gone")
    except NeverHappenedError:
        return [f"{one} is {found[one]}, not {wanted[one]}" for one in wanted if found[one] != wanted[one]]
    return []


async def _hooks(system: System, jobs: list[str]) -> list[str]:
    broken = []
    for job_id, hooks in (await system.wait_for_final_hooks(jobs)).items():
        if len({hook["webhook-id"] for hook in hooks if is_final(hook)}) != 1:
            broken.append(f"{job_id} has several final webhooks")
        first = next(index for index, hook in enumerate(hooks) if is_final(hook))
        if not all(is_final(hook) for hook in hooks[first:]):
            broken.append(f"progress of {job_id} arrived after its end")
    return broken


async def _notices(receiver: Receiver, jobs: set[str]) -> list[str]:
    """The endpoint has one notice of each job's end, under one id, after all others of the job.

    Only of job types that clients of the Devana API know (docs/contract/devana.md#types-and-statuses).
    """

    def statuses() -> dict[str, dict[str, str]]:
        """The status under each webhook-id, in order of the first arrivals, by job."""
        found: dict[str, dict[str, str]] = {job_id: {} for job_id in jobs}
        for one in receiver.at(NOTICES):
            if (job_id := one.json["jobId"]) in jobs:
                found[job_id].setdefault(one.headers["webhook-id"], one.json["status"])
        return found

    def all_ended() -> bool:
        return all(LAST in found.values() for found in statuses().values())

    with suppress(NeverHappenedError):  # named below
        await wait_until(all_ended, PATIENCE_S, "a notice of the end of every job")
    return [
        f"the notices of {job_id} are {list(found.values())}"
        for job_id, found in statuses().items()
        if [*found.values()].count(LAST) != 1 or [*found.values()][-1] != LAST
    ]


async def _log(system: System, seen: Seen) -> list[str]:
    """The log has what was acknowledged and nothing else, and the tables are its fold."""
    report = await system.verify()
    wanted = {
        "jobs": len(seen.jobs) + len(seen.documents) + seen.erased_jobs,
        "batches": len(seen.batches) + seen.erased_batches,
        "documents": len(seen.documents),
        "endpoints": seen.endpoints,
    }
    broken = [
        f"the log has {getattr(report, what)} {what}, and {count} were acknowledged"
        for what, count in wanted.items()
        if getattr(report, what) != count
    ]
    return broken + [str(violation) for violation in report.violations]
