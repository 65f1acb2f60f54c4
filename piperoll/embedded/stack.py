"""The supervisor of one machine: Kafka, Postgres and the four services in one data folder. Prints nothing."""

import asyncio
import json
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import IO

from piperoll.embedded.environment import Addresses, service_environment, shared_settings
from piperoll.embedded.errors import StackError
from piperoll.embedded.files import claim_folder, write_private
from piperoll.embedded.kafka import EmbeddedKafka
from piperoll.embedded.orphans import identify, stop_all
from piperoll.embedded.ports import HOST, PortBook, is_free
from piperoll.embedded.postgres import EmbeddedPostgres
from piperoll.embedded.private import Secrets, load_secrets
from piperoll.embedded.readiness import explain_by_logs, wait_for_api
from piperoll.embedded.supervisor import ServiceProcess, Supervisor
from piperoll.installation.file_roots import refusal_of_roots
from piperoll.log.topics.admin import create_topics
from piperoll.settings import Settings

SERVICES = ("api", "worker", "projector", "notifier")
DATABASE = "piperoll"

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StackOptions:
    """Options of a stack.

    `port` is the API's, 0 for a free one that is stored. `processes` is the number of processes by service (default 1);
    further ones of the API get free ports. `api_keys` replace those of the data folder. `extra_env` overrides all
    other settings of the services. A service's name is appended to `service_command`. `prepare` is awaited with the
    services' settings once Kafka and Postgres answer; the message it returns is reported as progress.
    """

    services: Sequence[str] = SERVICES
    port: int = 0
    api_keys: Sequence[str] = ()
    processes: Mapping[str, int] = field(default_factory=dict)
    partitions: int = 6
    extra_env: Mapping[str, str] = field(default_factory=dict)
    supervise: bool = True
    service_command: Sequence[str] = (sys.executable, "-m", "piperoll")
    prepare: Callable[[Settings], Awaitable[str | None]] | None = None


class Stack:
    """Kafka, Postgres and services on 127.0.0.1 with their data in `data_dir`. Also an async context manager.

    Process names: `kafka`, `postgres`, `api`, `worker`, `projector`, `notifier`; a second worker is `worker-1`, and
    `worker-0` is another name of the first. Logs are in `data_dir/logs/NAME.log`.
    """

    def __init__(
        self,
        data_dir: Path,
        options: StackOptions | None = None,
        on_event: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.data_dir = data_dir.absolute()
        self._options = options or StackOptions()
        self._listener = on_event
        self._ports = PortBook(self.data_dir)
        self._supervisors: dict[str, Supervisor] = {}
        self._services: list[str] = []
        self._lock: IO[str] | None = None
        self._shared: dict[str, str] = {}
        self._api_ports: dict[int, int] = {}
        self._secrets: Secrets | None = None
        self._kafka: EmbeddedKafka | None = None
        self._postgres: EmbeddedPostgres | None = None

    async def __aenter__(self) -> "Stack":
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    @property
    def api_url(self) -> str:
        """The API's URL without a trailing slash."""
        return f"http://{HOST}:{self._port_of_api(0)}"

    @property
    def api_key(self) -> str:
        """The newest API key: the last one given, else the generated one of this data folder."""
        return self._required_secrets.api_keys[-1]

    @property
    def kafka(self) -> EmbeddedKafka:
        """The broker; StackError before `start`."""
        if self._kafka is None:
            raise StackError("the stack was not started")
        return self._kafka

    @property
    def postgres(self) -> EmbeddedPostgres:
        """The database server; StackError before `start`."""
        if self._postgres is None:
            raise StackError("the stack was not started")
        return self._postgres

    @property
    def environment(self) -> dict[str, str]:
        """All settings as PIPEROLL_* variables, for the command line and for services started separately."""
        return dict(self._shared)

    async def claim(self) -> None:
        """Take the data folder and the port, as the first part of `start`. Raises StackError and holds nothing then."""
        if self._lock is not None:
            raise StackError("this stack was already started")
        self._lock = claim_folder(self.data_dir)
        try:
            self._check_roots()
            await asyncio.to_thread(self._stop_orphans)
            self._secrets = load_secrets(self.data_dir, self._options.api_keys)
            self._api_ports = {0: self._choose_api_port()}
        except BaseException:
            await self.stop()
            raise

    async def start(self) -> None:
        """Start Kafka and Postgres, wait for them, start the services. Raises StackError and leaves nothing running."""
        if self._supervisors:
            raise StackError("this stack was already started")
        if self._lock is None:
            await self.claim()
        try:
            await self._start_stores()
            self._set_environment()
            settings = Settings.from_environment(self._shared)
            await create_topics(settings)
            if self._options.prepare is not None and (message := await self._options.prepare(settings)):
                self._on_event(message)
            for service in self._options.services:
                await self._start_service(service)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stop the services (15 s to drain), then Postgres, then Kafka, and release the data folder."""
        await asyncio.gather(*(self._supervisors[name].stop() for name in self._services))
        for store in ("postgres", "kafka"):
            if store in self._supervisors:
                await self._supervisors[store].stop()
        self._supervisors.clear()
        self._services.clear()
        if self._lock is not None:
            (self.data_dir / "stack.json").unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    async def wait_ready(self, timeout: float = 60.0) -> None:
        """Wait until GET /api/health/ready answers 200; StackError, with the ends of logs, after `timeout` s."""
        await wait_for_api(self.api_url, timeout, self._on_event, self._explain)

    def pid(self, name: str) -> int:
        """Return the process id of `name`; StackError if it does not exist or does not run."""
        process = self._supervisor(name).part.process
        if process is None or not process.running:
            raise StackError(f"{name} does not run")
        return process.pid

    async def kill(self, name: str) -> None:
        """Kill `name` with SIGKILL, to simulate a crash; with supervision it is restarted within 2 s."""
        await self._supervisor(name).part.kill()

    async def stop_service(self, name: str) -> None:
        """Stop one service gracefully, until `start_service`."""
        await self._supervisor(name).stop()

    async def start_service(self, name: str) -> None:
        """Start a service that was stopped."""
        await self._supervisor(name).start()

    async def stop_kafka(self) -> None:
        """Stop Kafka gracefully, until `start_kafka`."""
        await self._supervisors["kafka"].stop()

    async def start_kafka(self) -> None:
        """Start Kafka again at its old port and wait until it answers."""
        await self._supervisors["kafka"].start()

    async def stop_postgres(self) -> None:
        """Stop Postgres gracefully, until `start_postgres`."""
        await self._supervisors["postgres"].stop()

    async def start_postgres(self) -> None:
        """Start Postgres again at its old port and wait until it answers."""
        await self._supervisors["postgres"].start()

    def _on_event(self, line: str) -> None:
        try:
            self._listener(line)
        except OSError as error:
            # The terminal or pipe is closed, which must not stop the services.
            _log.warning("progress could not be reported (%s): %s", error, line)

    @property
    def _required_secrets(self) -> Secrets:
        if self._secrets is None:
            raise StackError("the stack was not started")
        return self._secrets

    def _supervisor(self, name: str) -> Supervisor:
        try:
            return self._supervisors[name.removesuffix("-0")]
        except KeyError:
            names = ", ".join(self._supervisors)
            raise StackError(f"no process {name} in this stack: there are {names}") from None

    def _check_roots(self) -> None:
        """Raise StackError if jobs could read the data folder."""
        given = {**os.environ, **self._options.extra_env}
        settings = {name: given[name] for name in ("PIPEROLL_FILES_ROOTS", "PIPEROLL_WORK_DIR") if name in given}
        blobs = {"PIPEROLL_BLOB_URL": (self.data_dir / "blobs").as_uri()}
        if refusal := refusal_of_roots(Settings.from_environment(settings | blobs), self.data_dir):
            raise StackError(refusal)

    def _stop_orphans(self) -> None:
        """Stop orphaned processes of a killed stack; Postgres stops its own at its start."""
        try:
            recorded = json.loads((self.data_dir / "stack.json").read_text())["processes"]
        except FileNotFoundError:
            return
        except (ValueError, KeyError, TypeError) as error:
            raise StackError(
                f"{self.data_dir / 'stack.json'} is damaged ({error}): delete it, then try again"
            ) from error
        stop_all({name: entry for name, entry in recorded.items() if name != "postgres"}, self._on_event)

    def _choose_api_port(self) -> int:
        if self._options.port == 0:
            return self._ports.assign("api")
        if not is_free(self._options.port):
            raise StackError(
                f"port {self._options.port} is in use by another program, or not allowed for this user: "
                f"choose another one with --port, or 0 for any free one"
            )
        return self._options.port

    async def _start_stores(self) -> None:
        secrets = self._required_secrets
        self._kafka = EmbeddedKafka(self.data_dir, secrets.kafka_password, self._on_event)
        self._postgres = EmbeddedPostgres(self.data_dir, secrets.postgres_password, self._on_event)
        starts = [self._add("kafka", self._kafka).start(), self._add("postgres", self._postgres).start()]
        # Both are awaited, so that no start is running when a failure stops everything.
        results = await asyncio.gather(*starts, return_exceptions=True)
        for result in results:
            if isinstance(result, BaseException):
                raise result
        await self._postgres.create_database(DATABASE)

    def _set_environment(self) -> None:
        addresses = Addresses(
            self.kafka.environment, self.postgres.dsn(DATABASE), self._port_of_api(0), self.data_dir / "blobs"
        )
        options = self._options
        self._shared = shared_settings(
            os.environ, addresses, self._required_secrets, options.partitions, options.extra_env
        )
        self._write_stack_file()

    async def _start_service(self, service: str) -> None:
        for number in range(self._count(service)):
            name = service if number == 0 else f"{service}-{number}"
            argv = (*self._options.service_command, service)
            log = self.data_dir / "logs" / f"{name}.log"
            environment = partial(self._environment_of, service, number)
            part = ServiceProcess(name, argv, log, environment)
            self._services.append(name)
            await self._add(name, part).start()
            self._on_event(f"started {name} (process {self.pid(name)})")

    def _environment_of(self, service: str, number: int) -> dict[str, str]:
        own = {"PIPEROLL_API_PORT": str(self._port_of_api(number))} if service == "api" else {}
        health_port = self._ports.assign(f"{service}-{number}-health")
        return service_environment(os.environ, {**self._shared, **own}, service, number, health_port)

    def _count(self, service: str) -> int:
        return self._options.processes.get(service, 1)

    def _port_of_api(self, number: int) -> int:
        """The port of one process of the API, the same at each restart."""
        if number not in self._api_ports:
            self._api_ports[number] = self._ports.assign(f"api-{number}")
        return self._api_ports[number]

    def _add(self, name: str, part: EmbeddedKafka | EmbeddedPostgres | ServiceProcess) -> Supervisor:
        supervisor = Supervisor(
            name, part, supervise=self._options.supervise, on_event=self._on_event, on_change=self._write_stack_file
        )
        self._supervisors[name] = supervisor
        return supervisor

    def _write_stack_file(self) -> None:
        """Write stack.json: settings for the command line, and processes for the clean-up after a kill."""
        if self._lock is None:
            return
        processes = {}
        for name, supervisor in self._supervisors.items():
            if supervisor.part.process is not None and supervisor.part.running:
                processes[name] = identify(supervisor.part.process)
        content = {
            "api_url": self.api_url,
            "kafka_bootstrap": self.kafka.bootstrap,
            "postgres_dsn": self.postgres.dsn(DATABASE),
            "env": self._shared,
            "supervisor": os.getpid(),
            "pids": {name: entry["pid"] for name, entry in processes.items() if entry},
            "processes": {name: entry for name, entry in processes.items() if entry},
        }
        write_private(self.data_dir / "stack.json", json.dumps(content, indent=2))

    def _explain(self) -> str:
        running = {name: self._supervisors[name].part.running for name in self._services}
        return explain_by_logs(running, self.data_dir / "logs")
