"""A stack with two API processes, and the restart of each process in turn, in the order of the operating guide."""

import json
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from piperoll.embedded.environment import service_environment
from piperoll.embedded.ports import PortBook
from piperoll.embedded.stack import Stack, StackOptions
from piperoll.embedded.supervisor import ServiceProcess
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import System
from tests.support.waiting import PATIENCE_S, wait_until

SETTINGS = {
    "PIPEROLL_ENABLE_NOOP": "true",
    "PIPEROLL_SLOTS": "2",
    "PIPEROLL_HANDOVER_GRACE_S": "2",
    "PIPEROLL_CHECKPOINT_INTERVAL_S": "2",
    "PIPEROLL_READ_DEADLINE_S": "20",  # the restart of the only projector of a partition, on a busy machine
    "PIPEROLL_RATE_LIMIT": "100000",
}
CUT_OFF = ("drain_cut_off", "exit_without_closing", "service_failed", "Traceback")
"""What the log of a service that was stopped by SIGTERM never has."""


@dataclass
class Fleet:
    """The running processes, a receiver of `notices` to endpoints, and sentences of processes that were killed."""

    system: System
    notices: Receiver
    second: ServiceProcess
    second_port: int
    late: list[str] = field(default_factory=list)

    @property
    def origins(self) -> list[str]:
        """The addresses of both API processes, as a proxy has them."""
        return [self.system.stack.api_url, f"http://127.0.0.1:{self.second_port}"]

    async def restart_all(self, names: Sequence[str]) -> None:
        """Restart each process once the one before it is ready: readers, then workers, then the API."""
        for name in names:
            await self.system.stack.stop_service(name)
            await self.system.stack.start_service(name)
            await self._until_ready(name)
        await self.second.stop()
        await self.second.start()
        await _answers(self.origins[1], "/api/health/ready")

    async def _until_ready(self, name: str) -> None:
        if name == "api":
            await _answers(self.origins[0], "/api/health/ready")
            return
        ports = json.loads((self.system.stack.data_dir / "ports.json").read_text())
        instance = name if name[-1].isdecimal() else f"{name}-0"
        await _answers(f"http://127.0.0.1:{ports[f'{instance}-health']}", "/health/ready")

    def cut_off(self) -> list[str]:
        """The lines of logs about a stop that was not in good order."""
        lines = [
            f"{log.stem}: {line}"
            for log in (self.system.stack.data_dir / "logs").glob("*.log")
            if log.stem.partition("-")[0] in ("api", "worker", "projector", "notifier")
            for line in log.read_text(errors="replace").splitlines()
            if any(word in line for word in CUT_OFF)
        ]
        return self.late + lines


@asynccontextmanager
async def fleet(folder: Path, processes: dict[str, int]) -> AsyncIterator[Fleet]:
    """Start the services, the second API process beside them as an operator would."""
    late: list[str] = []
    options = StackOptions(extra_env=SETTINGS, processes=processes, partitions=6)

    def note(event: str) -> None:
        if "was killed" in event:
            late.append(event)

    async with Receiver() as receiver, Receiver() as notices, Stack(folder / "data", options, note) as stack:
        await stack.wait_ready(PATIENCE_S)
        port = PortBook(stack.data_dir).assign("api-1")
        shared = {**stack.environment, "PIPEROLL_API_PORT": str(port)}
        second = ServiceProcess(
            "api-1",
            (*options.service_command, "api"),
            stack.data_dir / "logs" / "api-1.log",
            lambda: service_environment(os.environ, shared, "api", 1, 0),
        )
        headers = {"Authorization": f"Bearer {stack.api_key}"}
        async with second, httpx.AsyncClient(base_url=stack.api_url, headers=headers, timeout=70) as client:
            running = Fleet(System(stack, client, receiver, folder), notices, second, port, late)
            await _answers(running.origins[1], "/api/health/ready")
            yield running


async def _answers(origin: str, path: str) -> None:
    async with httpx.AsyncClient(base_url=origin, trust_env=False) as client:

        async def ready() -> bool:
            return (await client.get(path)).status_code == 200

        await wait_until(ready, PATIENCE_S, f"{origin} to be ready", not_yet=(httpx.TransportError,))
