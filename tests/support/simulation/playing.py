"""Plays a schedule: the four services under a supervisor, clients, faults, then calm until everything is settled."""

import asyncio
from collections.abc import Callable

from pydantic_core import to_json

from piperoll.history import Violation
from schemas.documents import EndpointSettings
from schemas.events import (
    BatchCreated,
    EndpointRegistered,
    EndpointRemoved,
    EndpointTested,
    Event,
    JobCancelled,
    JobCreated,
    JobErased,
)
from schemas.ids import member_id
from schemas.topics import ENDPOINT_EVENTS
from tests.support.simulation.clients import fact, simulate
from tests.support.simulation.judging import account_of, judge_world
from tests.support.simulation.network import AppendFault
from tests.support.simulation.process import Process
from tests.support.simulation.product import SEALED_SECRET
from tests.support.simulation.schedule import Act, Fault, Schedule
from tests.support.simulation.scripted_pool import Script
from tests.support.simulation.worker import CHECKPOINTS
from tests.support.simulation.world import World

RESTART_S = 1.0
LASTING = ("append_silence", "append_delay", "coordinator_cut", "cut_off", "freeze", "blobs_away", "postgres_away")
JOB_TYPE = "extraction"  # one whose changes registered endpoints receive
CALM_S = 90.0
ENVIRONMENT = {
    "PIPEROLL_HANDOVER_GRACE_S": "3",
    "PIPEROLL_CHECKPOINT_INTERVAL_S": "2",
    "PIPEROLL_RETRY_BASE_S": "0.5",
    "PIPEROLL_RETRY_CAP_S": "2",
    "PIPEROLL_DELIVERY_SCHEDULE_S": "0,1,2,4",
    "PIPEROLL_PROGRESS_TIMEOUT_S": "2",
    "PIPEROLL_FINAL_TIMEOUT_S": "2",
}
SESSION_S = 4.0


class Play:
    """One schedule in one world."""

    def __init__(self, world: World, schedule: Schedule) -> None:
        self.world = world
        self.schedule = schedule
        self.acknowledged: list[str] = []
        self.now: dict[str, Process] = {}
        self.skews: dict[str, float] = {}
        self._ending = False
        self._count = 0
        world.on_end = self._restart_later

    async def run(self) -> None:
        """Play it to its end."""
        loop = self.world.loop
        for act in self.schedule.acts:
            loop.call_at(act.at_s, self._act, act)
        for fault in self.schedule.faults:
            self._prepare(fault)
        for instance in self.schedule.crew:
            self._start(instance)
        await asyncio.sleep(self.schedule.busy_s)
        await asyncio.sleep(max(0.0, self._last_s() - loop.time()))
        self._calm_down()
        end = loop.time() + CALM_S
        while not self._settled() and loop.time() < end:  # noqa: ASYNC110 - virtual time, and no one event
            await asyncio.sleep(0.5)
        self._ending = True

    def _last_s(self) -> float:
        """When the last fault is over."""
        lasting = (fault for fault in self.schedule.faults if fault.kind in LASTING)
        return max((fault.at_s + fault.value for fault in lasting), default=0.0)

    # --- the supervisor ----------------------------------------------------------------------------------------------

    def _start(self, instance: str) -> None:
        if self._ending or (instance in self.now and not self.now[instance].main.done()):
            return
        self._count += 1
        start: Callable[..., Process] = {
            "worker": self.world.start_worker,
            "projector": self.world.start_projector,
            "notifier": self.world.start_notifier,
        }[instance.partition("-")[0]]
        process = start(f"{instance}/{self._count}", instance=instance)
        process.skew_s = self.skews.get(instance, 0.0)
        self.now[instance] = process

    def _restart_later(self, process: Process) -> None:
        self.world.loop.call_later(RESTART_S, self._start, process.instance)

    def _calm_down(self) -> None:
        self.skews.clear()
        for process in self.now.values():
            process.skew_s = process.deaf_until = 0.0
            process.dies_at = None
            process.network.faults.clear()
            process.online.set()
            process.rejoin()

    def _settled(self) -> bool:
        return all(not process.main.done() for process in self.now.values()) and account_of(self.world).settled

    # --- clients -----------------------------------------------------------------------------------------------------

    def _act(self, act: Act) -> None:
        match act.kind:
            case "create" | "repeat":
                self.world.stage.scripts[act.subject] = Script(act.seconds, act.failures, act.fatal)
                self._append(act.subject, self._creation(act))
                self.acknowledged.append(act.subject)
            case "cancel":
                self._append(act.subject, JobCancelled(by="user-1"))
            case "erase":
                self._append(act.subject, JobErased(by="user-1"))
            case "batch":
                self._create_batch(act)
            case "register":
                self._tell(act, self._registration(act))
            case "remove":
                self._tell(act, EndpointRemoved(by="user-1"))
            case "trial":
                self._tell(act, EndpointTested(by="user-1"))

    def _append(self, subject: str, data: Event) -> None:
        self.world.accept(fact(self.world, subject, data))

    def _tell(self, act: Act, data: Event) -> None:
        """Append a fact about an endpoint."""
        self.world.accept(fact(self.world, act.subject, data, f"owner-{act.count}"), topic=ENDPOINT_EVENTS)

    def _registration(self, act: Act) -> EndpointRegistered:
        host = f"{act.subject}.example"
        self.world.receivers.moods.setdefault(host, list(act.moods or ()))
        content = EndpointSettings(url=f"http://{host}/hook", secret=SEALED_SECRET)
        claim = self.world.store.keep(f"endpoints/{act.subject}", content.model_dump_json().encode())
        return EndpointRegistered(settings=claim, statuses=act.statuses)

    def _creation(self, act: Act) -> JobCreated:
        webhook = None
        if act.moods is not None:
            host = f"{act.subject}.example"
            self.world.receivers.moods.setdefault(host, list(act.moods))
            webhook = {"url": f"http://{host}/hook"}
        body = to_json({"job_type": JOB_TYPE, "parameters": {"webhook": webhook}})
        claim = self.world.store.keep(f"{act.subject}/in", body)
        return JobCreated(job_type=JOB_TYPE, parameters=claim, body_sha256="0" * 64, has_webhook=webhook is not None)

    def _create_batch(self, act: Act) -> None:
        spec = {"job_type": JOB_TYPE, "parameters": {}, "body_sha256": "0" * 64, "priority": 5}
        spec |= {"timeout_s": 60, "max_attempts": 3, "has_webhook": False}
        specs = self.world.store.keep(f"{act.subject}/in", to_json([spec] * act.count))
        self._append(act.subject, BatchCreated(count=act.count, specs=specs, body_sha256="0" * 64))
        members = [member_id(act.subject, index) for index in range(act.count)]
        self.world.stage.scripts |= dict.fromkeys(members, Script(act.seconds))
        self.acknowledged += members

    # --- faults ------------------------------------------------------------------------------------------------------

    def _prepare(self, fault: Fault) -> None:
        loop = self.world.loop
        if fault.kind == "tables_restored":
            loop.call_at(max(0.0, fault.at_s - fault.value), self._keep_tables, fault.at_s)
        elif fault.kind == "blobs_restored":
            loop.call_at(max(0.0, fault.at_s - fault.value), self._keep_checkpoints, fault.at_s)
        else:
            loop.call_at(fault.at_s, self._strike, fault)

    def _keep_tables(self, at_s: float) -> None:
        kept = self.world.postgres.snapshot()
        self.world.loop.call_at(at_s, lambda: self.world.restore_tables(kept))

    def _keep_checkpoints(self, at_s: float) -> None:
        kept = self.world.store.snapshot(CHECKPOINTS)
        self.world.loop.call_at(at_s, lambda: self.world.store.restore(CHECKPOINTS, kept))

    def _strike(self, fault: Fault) -> None:
        world, later = self.world, self.world.loop.call_later
        process = self.now.get(fault.target)
        match fault.kind:
            case "rebalance":
                world.group(fault.target).shuffle()
                world.wake()
            case "blobs_away":
                world.store.away = True
                later(fault.value, setattr, world.store, "away", False)
            case "postgres_away":
                world.postgres.break_sessions()
                world.postgres.away = True
                later(fault.value, setattr, world.postgres, "away", False)
            case "postgres_restarts":
                world.postgres.break_sessions()
            case "clock_jump":
                self.skews[fault.target] = self.skews.get(fault.target, 0.0) + fault.value
                if process is not None:
                    process.skew_s = self.skews[fault.target]
            case kind if process is not None and not process.dead:
                self._strike_process(process, kind, fault.value)

    def _strike_process(self, process: Process, kind: str, value: float) -> None:
        later = self.world.loop.call_later
        match kind:
            case "crash_at_await":
                process.crash_at(int(value))
            case "crash_and_land":
                process.network.outlives = True
                process.crash_at(int(value))
            case "append_error" | "append_silence" | "append_duplicate" | "append_delay":
                process.network.faults.append(AppendFault(kind.removeprefix("append_"), value))  # type: ignore[arg-type]
            case "coordinator_cut":
                process.deaf_until = self.world.loop.time() + value
                process.leave_group()
                later(value, process.rejoin)
            case "cut_off":
                process.online.clear()
                later(value, process.online.set)
                if value > self.world.session_s:
                    later(self.world.session_s, process.leave_group)
                    later(value, process.rejoin)
            case "freeze":
                process.freeze(value)
            case "drain":
                process.stopping.set()


def play(schedule: Schedule) -> tuple[World, list[Violation]]:
    """The world after a schedule, and what is wrong with it."""
    plays: list[Play] = []

    async def story(world: World) -> None:
        plays.append(Play(world, schedule))
        await plays[0].run()

    world = simulate(story, schedule.seed, partitions=2, session_s=SESSION_S, environment=ENVIRONMENT)
    return world, judge_world(world, plays[0].acknowledged)
