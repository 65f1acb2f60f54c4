"""Page 4: a process dies. Any of them may be killed at any time; nothing that was acknowledged is lost."""

from schemas.events import JobCompleted, JobStarted
from tests.support.stacks.system import System


async def test_the_job_of_a_killed_worker_is_run_again_and_ends_once(system: System) -> None:
    """The loss is visible: a second `JobStarted` supersedes the first one, and the job has two attempts.

    The first attempt of this job never ends by itself; the second one succeeds.
    """
    begin = await system.log_end()
    job_id = await system.create(behaviour="loop", until_attempt=2)
    await system.wait_for_status(job_id, "processing")
    await system.stack.kill("worker")
    job = await system.wait_for_end(job_id)
    assert (job["status"], job["attempt"]) == ("completed", 2)

    facts = [fact.data for fact in await system.facts_of({job_id}, begin)]
    first, second = (fact for fact in facts if isinstance(fact, JobStarted))
    assert (first.number, second.number) == (1, 2)
    assert first.run != second.run
    (end,) = (fact for fact in facts if isinstance(fact, JobCompleted))
    assert end.run == second.run


async def test_a_webhook_outlasts_the_death_of_the_notifier(system: System) -> None:
    """The notifier reads the log again from its last checkpoint, and the receiver gets one end under one id."""
    webhook = {"url": system.receiver.url("/outlasting")}
    job_id = await system.create(webhook=webhook)
    await system.stack.kill("notifier")
    hooks = (await system.wait_for_final_hooks([job_id]))[job_id]
    ends = [hook for hook in hooks if hook["phase"] == "completed"]
    assert len({end["webhook-id"] for end in ends}) == 1
