"""The simulation finds faults of registered endpoints: each of these breaks a promise in some schedule."""

import math
from collections.abc import Mapping
from typing import Any

import pytest

from piperoll.webhooks.attempts import Attempted
from services.notifier.delivery.attempt import Lease, attempt
from services.notifier.notices import courier
from services.notifier.notices.changes import ClaimedNotice, Following, RegisteredEndpoint, notice_id
from services.notifier.notices.outcome import not_sent
from services.notifier.notices.queue import NoticeQueue, add_endpoint, save_following
from services.notifier.readers import deliveries
from services.notifier.readers.backfill import Backfill
from services.notifier.readers.server import PostgresServer
from tests.support.simulation.playing import play
from tests.support.simulation.process import Process, current_process
from tests.support.simulation.schedule import Act, Schedule, draw_schedule
from tests.unit.simulation.test_mutations import Patch, assert_found

FROZEN_S = 7.0  # longer than a lease
CHANGES = 3  # of a job that completes: pending, in progress, done


@pytest.fixture
def frozen_at_a_claim(monkeypatch: Patch) -> Schedule:
    """A course of events in which a notifier freezes between its claim of a change and the POST."""
    claim, frozen = NoticeQueue.claim, list[Process]()

    async def freezing(self: NoticeQueue, rooms: Mapping[str, int], lease_s: float) -> list[ClaimedNotice]:
        rows = await claim(self, rooms, lease_s)
        process = current_process()
        if rows and process is not None and not frozen:
            frozen.append(process)
            process.freeze(FROZEN_S)
        return rows

    monkeypatch.setattr(NoticeQueue, "claim", freezing)
    return Schedule(1, (Act(0.1, "register", "endpoint-0"), Act(1.0, "create", "job-0", seconds=0.5)), ())


def test_a_notifier_that_freezes_at_a_claim_sends_nothing_out_of_order(frozen_at_a_claim: Schedule) -> None:
    world, violations = play(frozen_at_a_claim)
    assert violations == []
    assert len(world.receivers.noticed) == CHANGES


def test_a_post_without_a_look_at_its_lease_is_found(monkeypatch: Patch, frozen_at_a_claim: Schedule) -> None:
    async def careless(sender: Any, lease: Lease, *arguments: Any, **more: Any) -> Attempted:
        return await attempt(sender, Lease(math.inf), *arguments, **more)

    monkeypatch.setattr("services.notifier.delivery.courier.attempt", careless)
    _, violations = play(frozen_at_a_claim)
    assert {violation.invariant for violation in violations} == {"I4"}


def test_a_registration_that_skips_what_the_job_reader_read_meanwhile_is_found(monkeypatch: Patch) -> None:
    async def join(
        self: Backfill, connection: Any, endpoint: RegisteredEndpoint, found: Following, read: Mapping[int, int]
    ) -> None:
        await add_endpoint(connection, endpoint)
        await save_following(connection, found)

    monkeypatch.setattr(Backfill, "join", join)
    assert_found("I4")


def test_a_registration_that_begins_at_the_position_of_the_job_reader_is_found(monkeypatch: Patch) -> None:
    take = Backfill._take

    async def nothing_before(self: Backfill, found: Following, begin: dict[int, int], end: dict[int, int]) -> None:
        await take(self, found, end, end)

    monkeypatch.setattr(Backfill, "_take", nothing_before)
    assert_found("I4")


def test_a_restored_queue_that_does_not_learn_outcomes_from_the_log_is_found(monkeypatch: Patch) -> None:
    async def nothing(*_: object) -> None:
        return None

    monkeypatch.setattr(deliveries, "settle_from_log", nothing)
    assert_found("I4", kinds=("tables_restored",))


def test_a_dispatcher_of_notices_that_does_not_wait_for_those_outcomes_is_found(monkeypatch: Patch) -> None:
    async def meet_the_first(self: PostgresServer, connection: Any) -> None:
        self.generation = 1

    monkeypatch.setattr(PostgresServer, "meet", meet_the_first)
    assert_found("I4", kinds=("tables_restored", "rebalance"))


def test_a_change_that_gets_another_id_at_each_attempt_is_found(monkeypatch: Patch) -> None:
    def renamed(self: ClaimedNotice) -> str:
        return notice_id(self.job_id, self.endpoint_id, self.change.number + 1000 * self.attempts)

    monkeypatch.setattr(ClaimedNotice, "delivery_id", property(renamed))
    assert_found("I4")


def test_an_interrupted_attempt_that_counts_as_given_up_is_found(monkeypatch: Patch) -> None:
    """Its fact is kept from the log, as if the outcome had no facts."""

    def lost(claimed: ClaimedNotice, now: Any) -> Any:
        outcome = not_sent(claimed, "INTERRUPTED", now)
        return type(outcome)(claimed=claimed, attempts=0, at=now)

    monkeypatch.setattr(courier, "given_back", lost)
    assert_found("I4")


@pytest.mark.parametrize("endpoint_count", [0, 1, 2])
def test_schedules_have_none_one_and_two_endpoints(endpoint_count: int) -> None:
    drawn = [draw_schedule(seed) for seed in range(40)]
    counts = [sum(act.kind == "register" for act in schedule.acts) for schedule in drawn]
    assert endpoint_count in counts
