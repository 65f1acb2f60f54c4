"""The system under measurement: a stack of its own in a new folder, and how jobs are sent through it."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import asyncpg

from bench.accounts import Accounts
from bench.orders import Order
from bench.projected import SQL, Projected
from piperoll.embedded.stack import SERVICES, Stack, StackOptions
from piperoll.settings import Settings

SLOTS = 2


class Rig:
    """A running stack, an ear on its projector, and the accounts of its processes."""

    def __init__(self, stack: Stack, projected: Projected, database: asyncpg.Connection, files: Path) -> None:
        self.stack = stack
        self.projected = projected
        self.database = database
        self.files = files

    @property
    def settings(self) -> Settings:
        """What the services run with."""
        return Settings.from_environment(self.stack.environment)

    def accounts(self) -> Accounts:
        """The processes as they are now."""
        return Accounts({name: self.stack.pid(name) for name in (*SERVICES, "kafka", "postgres")})

    def order(self, job_type: str, parameters: Sequence[dict[str, Any]], **how: Any) -> Order:
        """An order of one job for each of `parameters`."""
        bodies = [json.dumps({"job_type": job_type, "parameters": one}) for one in parameters]
        return Order(url=self.stack.api_url, key=self.stack.api_key, bodies=bodies, **how)

    async def analyze(self) -> None:
        """Gives the tables statistics, as autovacuum does after their first minute."""
        await self.database.execute(SQL["analyze"])


@asynccontextmanager
async def started(where: Path | None, settings: Mapping[str, str] | None = None) -> AsyncIterator[Rig]:
    """A stack in a new folder under `where`, which is deleted afterwards; `settings` are PIPEROLL_* variables."""
    with TemporaryDirectory(prefix="piperoll-bench-", dir=where) as folder:
        files = Path(folder) / "files"
        files.mkdir()
        options = StackOptions(
            extra_env={
                "PIPEROLL_ENABLE_NOOP": "true",
                "PIPEROLL_FILES_ROOTS": str(files),
                "PIPEROLL_SLOTS": str(SLOTS),
                **(settings or {}),
            }
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
