"""A Postgres in memory: the statements that the services send, by their text, over tables of immutable rows.

It keeps the contract of transactions: all or nothing, also when the session or the process ends; a commit whose answer
is lost; a server that is away, or was restored to an older state. Transactions run one at a time, so what the isolation
level READ COMMITTED lets through is not simulated. `tests/integration/notifier/test_modelled_queue.py` and
`test_notice_model.py` compare the statements of webhooks and of registered endpoints with Postgres.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import TYPE_CHECKING, Any

import asyncpg

from tests.support.simulation.postgres import notifier, projector
from tests.support.simulation.postgres.statement import Row, Tables
from tests.support.simulation.process import current_process
from tests.support.simulation.virtual_time import VirtualLoop

if TYPE_CHECKING:
    from tests.support.simulation.process import Process

LATENCY_S = 0.004
Run = Callable[..., list[Row] | None]


@cache
def statements() -> Mapping[str, Run]:
    """Every statement that is modelled, by its text."""
    return {**projector.statements(), **notifier.statements()}


class ModelPostgres:
    """The server. `away` makes every statement fail."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.tables = Tables()
        self.away = False
        self.epoch = 0
        self._holder: ModelConnection | None = None
        self._queue: deque[tuple[ModelConnection, asyncio.Future[None]]] = deque()
        self.leaders: dict[int, ModelConnection] = {}

    async def connect(self, *_: object, **__: object) -> "ModelConnection":
        """A session (asyncpg.connect)."""
        if self.away:
            raise ConnectionRefusedError("the server is away")
        return ModelConnection(self)

    @property
    def committed(self) -> Tables:
        """The tables without the changes of an open transaction."""
        held = self._holder
        return held.saved if held is not None and held.saved is not None else self.tables

    def snapshot(self) -> Tables:
        """A copy of what is committed."""
        return self.committed.copy()

    def restore(self, older: Tables) -> None:
        """Put an older state in place; every session ends."""
        self.break_sessions()
        self.tables = older.copy()

    def break_sessions(self) -> None:
        """End every session, as a restart does."""
        self.epoch += 1
        if self._holder is not None:
            self._holder.roll_back()
        self.leaders.clear()

    def disconnect(self, process: "Process") -> None:
        """End the sessions of a process that died."""
        if self._holder is not None and self._holder.owner is process:
            self._holder.roll_back()
        self.leaders = {lock: one for lock, one in self.leaders.items() if one.owner is not process}

    async def hold(self, session: "ModelConnection") -> None:
        """Wait until no other transaction runs."""
        if self._holder is None:
            self._holder = session
            return
        turn: asyncio.Future[None] = self.loop.create_future()
        self._queue.append((session, turn))
        try:
            await turn
        except asyncio.CancelledError:
            self.let_go(session)  # its turn may have come already
            raise

    def let_go(self, session: "ModelConnection") -> None:
        """The next transaction may run."""
        if self._holder is not session:
            return
        self._holder = None
        while self._queue and self._holder is None:
            waiting, turn = self._queue.popleft()
            if not turn.done() and not (waiting.owner and waiting.owner.dead):
                self._holder = waiting
                turn.set_result(None)


class ModelConnection:
    """A session (asyncpg.Connection)."""

    def __init__(self, server: ModelPostgres) -> None:
        self.server = server
        self.owner = current_process()
        self.saved: Tables | None = None
        self._epoch = server.epoch
        self._began: datetime | None = None

    async def fetch(self, statement: str, *arguments: Any) -> list[Row]:
        """Run a statement; return its rows."""
        self.check()
        if self.saved is not None:
            await self._trip()
            return self._run(statement, arguments)
        await self.server.hold(self)
        try:
            self.check()
            found = self._run(statement, arguments)
        finally:
            self.server.let_go(self)
        await self._trip()
        return found

    async def fetchval(self, statement: str, *arguments: Any) -> Any:
        """The first column of the first row; None without one."""
        rows = await self.fetch(statement, *arguments)
        return next(iter(rows[0].values())) if rows else None

    async def execute(self, statement: str, *arguments: Any) -> str:
        """Run a statement."""
        await self.fetch(statement, *arguments)
        return ""

    def transaction(self) -> "_Transaction":
        """A transaction, as a context manager."""
        return _Transaction(self)

    def is_closed(self) -> bool:
        """Whether the session has ended."""
        return self._epoch != self.server.epoch

    def terminate(self) -> None:
        """End the session."""
        self.roll_back()
        self._epoch = -1

    async def close(self, timeout: float | None = None) -> None:
        """End the session in good order."""
        self.terminate()

    async def begin(self) -> None:
        """Begin a transaction."""
        await self.server.hold(self)
        self.check()
        self.saved = self.server.tables.copy()
        self._began = self.server.loop.clock()

    async def commit(self) -> None:
        """Commit; the answer may be lost."""
        await self._trip()
        self.saved = self._began = None
        self.server.let_go(self)
        await self._trip()

    def roll_back(self) -> None:
        """Undo the transaction, if there is one."""
        if self.saved is not None:
            self.server.tables = self.saved
        self.saved = self._began = None
        self.server.let_go(self)

    def check(self) -> None:
        """Raise asyncpg's errors while the server is away, or when the session has ended."""
        if self.server.away or self.is_closed():
            self.server.let_go(self)
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle of operation")

    async def _trip(self) -> None:
        self.check()
        await asyncio.sleep(LATENCY_S)
        self.check()

    def _run(self, statement: str, arguments: tuple[Any, ...]) -> list[Row]:
        if (run := statements().get(statement)) is None:
            raise AssertionError(f"the model has no statement {statement!r}")
        now = self._began or self.server.loop.clock()
        return run(self.server.tables, now, self, *arguments) or []


class _Transaction:
    def __init__(self, connection: ModelConnection) -> None:
        self._connection = connection

    async def __aenter__(self) -> None:
        await self._connection.begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._connection.roll_back()
            return
        try:
            await self._connection.commit()
        except BaseException:
            self._connection.roll_back()
            raise
