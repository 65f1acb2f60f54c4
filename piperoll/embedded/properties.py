"""The text of Kafka's `server.properties` for one node. Pure."""

from pathlib import Path

from piperoll.embedded.ports import HOST

USER = "piperoll"
MECHANISM = "SCRAM-SHA-512"
CLIENTS, CONTROLLER = "CLIENTS", "CONTROLLER"
"""The names of the listeners."""

_SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule"
_PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


def server_properties(data: Path, port: int, controller_port: int, password: str) -> dict[str, str]:
    """Return the properties of one node that keeps its log in `data`. USER needs the password at both listeners.

    Credentials of SCRAM are records of the controller, so the listener of the controller has another mechanism, whose
    password is in this file. `password` must consist of letters, digits, - and _.
    """
    return {
        "process.roles": "broker,controller",
        "node.id": "1",
        "controller.quorum.voters": f"1@{HOST}:{controller_port}",
        "controller.listener.names": CONTROLLER,
        "listeners": f"{CLIENTS}://{HOST}:{port},{CONTROLLER}://{HOST}:{controller_port}",
        "advertised.listeners": f"{CLIENTS}://{HOST}:{port}",
        "listener.security.protocol.map": f"{CLIENTS}:SASL_PLAINTEXT,{CONTROLLER}:SASL_PLAINTEXT",
        "inter.broker.listener.name": CLIENTS,
        **_scram(CLIENTS.lower(), password),
        **_plain(CONTROLLER.lower(), password),
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


def as_text(properties: dict[str, str]) -> str:
    """Return the text of a file of properties."""
    return "".join(f"{name}={value}\n" for name, value in properties.items())


def _scram(listener: str, password: str) -> dict[str, str]:
    """Clients of a listener, and the broker itself, authenticate by SCRAM."""
    login = f'{_SCRAM} required username="{USER}" password="{password}";'
    return {
        "sasl.mechanism.inter.broker.protocol": MECHANISM,
        f"listener.name.{listener}.sasl.enabled.mechanisms": MECHANISM,
        f"listener.name.{listener}.{MECHANISM.lower()}.sasl.jaas.config": login,
    }


def _plain(listener: str, password: str) -> dict[str, str]:
    """The broker itself, and a client with the password, authenticate by PLAIN."""
    login = f'{_PLAIN} required username="{USER}" password="{password}" user_{USER}="{password}";'
    return {
        "sasl.mechanism.controller.protocol": "PLAIN",
        f"listener.name.{listener}.sasl.enabled.mechanisms": "PLAIN",
        f"listener.name.{listener}.plain.sasl.jaas.config": login,
    }
