"""The simulation finds faults: each of these, put into the product, breaks a promise within a few hundred schedules."""

from collections.abc import Sequence
from typing import Any

import pytest

from piperoll.domain.backlog import Backlog
from piperoll.domain.job import Status
from piperoll.log.backlog_checkpoint import Checkpoints
from schemas.envelope import Fact
from services.notifier.delivery.leasing import Leasing
from services.notifier.delivery.relay import Relay
from services.notifier.hooks import courier
from services.notifier.hooks.order import Hook, next_hook
from services.notifier.outbox import SQL
from services.notifier.readers.server import PostgresServer
from services.projector.readers.topic_reader import ProjectorTopicReader
from services.worker.manager.attempt import Attempt
from services.worker.manager.runner import Runner
from tests.support.simulation.playing import play
from tests.support.simulation.schedule import KINDS
from tests.support.simulation.searching import first_failure

PATIENCE = 300
Patch = pytest.MonkeyPatch


def assert_found(*invariants: str, kinds: tuple[str, ...] = KINDS) -> None:
    """The first schedule that fails breaks one of these invariants."""
    schedule = first_failure(range(PATIENCE), kinds)
    assert schedule is not None, f"{PATIENCE} schedules found nothing"
    broken = {violation.invariant for violation in play(schedule)[1]}
    assert broken & set(invariants), broken


def test_a_runner_that_obeys_its_own_writes_is_found(monkeypatch: Patch) -> None:
    """It forgets a job when it has appended its end, whether or not the log accepted it."""
    work = Runner._work

    async def obedient(self: Runner, attempt: Attempt) -> None:
        await work(self, attempt)
        self._forget(attempt.job.job_id)

    monkeypatch.setattr(Runner, "_work", obedient)
    assert_found("I0", "I1")


def test_a_run_that_goes_on_although_its_claim_was_refused_is_found(monkeypatch: Patch) -> None:
    monkeypatch.setattr("services.worker.manager.runner._disproved", lambda attempt, fact, job: False)
    assert_found("I0", "I1", kinds=("coordinator_cut", "rebalance", "freeze"))


def test_a_backlog_that_forgets_which_jobs_ended_is_found(monkeypatch: Patch) -> None:
    fold = Backlog.fold_job

    def forgetful(self: Backlog, fact: Fact) -> Any:
        transition = fold(self, fact)
        if self.jobs.get(fact.subject) is None:
            self.ended.pop(fact.subject, None)
        return transition

    monkeypatch.setattr(Backlog, "fold_job", forgetful)
    assert_found("I0", "I1")


def test_a_backlog_that_loses_a_job_at_its_retry_is_found(monkeypatch: Patch) -> None:
    fold = Backlog.fold_job

    def losing(self: Backlog, fact: Fact) -> Any:
        transition = fold(self, fact)
        after = transition.after
        if after is not None and after.status is Status.PENDING and after.retries:
            self.jobs.pop(fact.subject, None)
        return transition

    monkeypatch.setattr(Backlog, "fold_job", losing)
    assert_found("I0", "I1")


def test_a_checkpoint_of_the_worker_that_is_ahead_of_its_fold_is_found(monkeypatch: Patch) -> None:
    save = Checkpoints.save

    async def hasty(self: Checkpoints, partition: int, backlog: Backlog, next_offset: int, last: str = "") -> None:
        await save(self, partition, backlog, next_offset + 1, "")

    monkeypatch.setattr(Checkpoints, "save", hasty)
    assert_found("I1", kinds=("crash_at_await", "rebalance", "drain"))


def test_a_projector_that_advances_its_checkpoint_before_its_rows_is_found(monkeypatch: Patch) -> None:
    project = ProjectorTopicReader._project

    async def hasty(self: Any, partition: int, entries: Sequence[Any], write: Any, connection: Any) -> Any:
        topic, last = self._writer.topic.name, entries[-1].record
        await connection.execute(self._sql["advance"], topic, partition, last.offset + 1, last.ce_id, "")
        await connection.commit()
        await connection.begin()
        await connection.execute(self._sql["advance"], topic, partition, entries[0].record.offset, last.ce_id, "")
        return await project(self, partition, entries, write, connection)

    monkeypatch.setattr(ProjectorTopicReader, "_project", hasty)
    assert_found("I3", kinds=("crash_at_await", "postgres_restarts", "postgres_away"))


def test_a_notifier_whose_leases_never_end_is_found(monkeypatch: Patch) -> None:
    lease = Leasing._lease

    async def without_end(self: Leasing, rooms: Any, lease_s: float) -> Any:
        return await lease(self, rooms, 1e9)

    async def nothing(self: Leasing) -> None:
        return None

    monkeypatch.setattr(Leasing, "_lease", without_end)
    monkeypatch.setattr(Leasing, "release", nothing)
    assert_found("I4")


def test_a_final_hook_that_gets_another_id_at_each_attempt_is_found(monkeypatch: Patch) -> None:
    def renaming(claimed: Any) -> Hook | None:
        hook = next_hook(claimed)
        if hook is None or not hook.final:
            return hook
        return Hook(f"{hook.delivery_id}-{hook.attempt}", hook.phase, hook.attempt, turn=hook.turn)

    monkeypatch.setattr(courier, "next_hook", renaming)
    assert_found("I4")


def test_a_dispatcher_that_does_not_wait_for_what_an_older_queue_lacks_is_found(monkeypatch: Patch) -> None:
    async def meet_the_first(self: PostgresServer, connection: Any) -> None:
        self.generation = 1

    monkeypatch.setattr(PostgresServer, "meet", meet_the_first)
    assert_found("I4", kinds=("tables_restored", "rebalance"))


def test_a_projector_that_compares_its_positions_at_records_only_is_found(monkeypatch: Patch) -> None:
    async def nothing(self: ProjectorTopicReader) -> None:
        return None

    monkeypatch.setattr(ProjectorTopicReader, "confirm", nothing)
    assert_found("I3", kinds=("tables_restored",))


def test_a_notifier_that_forgets_failed_attempts_with_its_tables_is_found(monkeypatch: Patch) -> None:
    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr("services.notifier.readers.deliveries._note_attempts", nothing)
    assert_found("I4", kinds=("tables_restored",))


def test_a_relay_that_clears_its_outbox_before_the_log_has_the_facts_is_found(monkeypatch: Patch) -> None:
    relay = Relay._append

    async def hasty(self: Relay, rows: list[Any]) -> list[int]:
        await self._pool.execute(SQL["clear_outbox"], [row["id"] for row in rows])
        return await relay(self, rows)

    monkeypatch.setattr(Relay, "_append", hasty)
    assert_found("I4", kinds=("crash_at_await", "append_error"))
