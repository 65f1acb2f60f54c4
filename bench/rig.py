"""The system under measurement: a new stack in a new folder, and jobs that run through it."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from bench.accounts import Accounts
from bench.programs.calls import generate
from bench.programs.orders import Answer, Order
from bench.projected import Projected
from piperoll.embedded.stack import SERVICES, Stack, StackOptions
from piperoll.settings import Settings

SLOTS = 2


@dataclass(frozen=True, slots=True)
class Run:
    """Jobs that have ended: the load generator's answer, and when each became readable, by job id."""

    answer: Answer
    readable: dict[str, float]

    @property
    def seconds(self) -> float:
        """From the first POST until the last job was readable."""
        return max(self.readable.values()) - self.answer.began


@dataclass(frozen=True, slots=True)
class Rig:
    """A running stack, a connection to its database, and the folder that jobs may read files from."""

    stack: Stack
    projected: Projected
    database: asyncpg.Connection
    files: Path

    @property
    def settings(self) -> Settings:
        """The settings of the services."""
        return Settings.from_environment(self.stack.environment)

    def accounts(self) -> Accounts:
        """The processes that run now."""
        return Accounts({name: self.stack.pid(name) for name in (*SERVICES, "kafka", "postgres")})

    def order(self, job_type: str, parameters: Sequence[dict[str, Any]], **how: Any) -> Order:
        """Return an order of one job for each of `parameters`; `how` are the other fields of the order."""
        bodies = [json.dumps({"job_type": job_type, "parameters": one}) for one in parameters]
        return Order(url=self.stack.api_url, key=self.stack.api_key, bodies=bodies, **how)

    async def run(self, order: Order, timeout_s: float = 120.0, failing: int = 0) -> Run:
        """Post jobs and wait until all have ended; `failing` of them must fail. Raises JobsFailedError."""
        records = self.projected.records
        answer = await generate(order)
        ids = [one.job_id for one in answer.posted]
        return Run(answer, await self.projected.completed(ids, records, timeout_s, failing))


@asynccontextmanager
async def started(data: Path, settings: Mapping[str, str] | None = None, workers: int = 1) -> AsyncIterator[Rig]:
    """Run a stack in a new folder in `data`, which is deleted afterwards; `settings` are PIPEROLL_* variables."""
    with TemporaryDirectory(prefix="piperoll-bench-", dir=data) as folder:
        files = Path(folder) / "files"
        files.mkdir()
        options = StackOptions(
            processes={"worker": workers},
            extra_env={
                "PIPEROLL_ENABLE_NOOP": "true",
                "PIPEROLL_FILES_ROOTS": str(files),
                "PIPEROLL_SLOTS": str(SLOTS),
                **(settings or {}),
            },
        )
        async with Stack(Path(folder) / "data", options) as stack:
            await stack.wait_ready()
            dsn = Settings.from_environment(stack.environment).postgres_dsn.get_secret_value()
            projected, database = await Projected.listen(dsn), await asyncpg.connect(dsn)
            try:
                yield Rig(stack, projected, database, files)
            finally:
                await projected.close()
                await database.close()
