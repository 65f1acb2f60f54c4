"""The settings that the stack gives its services, as environment variables. Pure: reads no environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from piperoll.embedded.private import Secrets

# What the user may set outside and the stack only proposes. Everything else that the stack names below is its
# own: a PIPEROLL_POSTGRES_DSN left in a shell must not point a local stack at another database.
_PROPOSED = {
    "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8,::1/128",  # one tries a receiver on this machine first
    "PIPEROLL_SESSION_TIMEOUT_S": "10",
    "PIPEROLL_STATIC_MEMBERSHIP": "true",  # instances keep their names: a restart moves no partition
    "PIPEROLL_LOG_LEVEL": "info",
    "PIPEROLL_LOG_FORMAT": "json",
    "PYTHONUNBUFFERED": "1",  # what a service says before it crashes must reach its log
}


@dataclass(frozen=True)
class Addresses:
    """Where the parts of one stack are to be found; `blobs` is a folder."""

    kafka_bootstrap: str
    postgres_dsn: str
    api_port: int
    blobs: Path


def shared_settings(
    inherited: Mapping[str, str],
    addresses: Addresses,
    secrets: Secrets,
    partitions: int,
    extra: Mapping[str, str],
) -> dict[str, str]:
    """Return the settings that all services and the command line share: only PIPEROLL_* and what is proposed.

    The stack's values go before inherited ones, `extra` goes before both.
    """
    proposed = {name: inherited.get(name, value) for name, value in _PROPOSED.items()}
    own = {
        "PIPEROLL_KAFKA_BOOTSTRAP": addresses.kafka_bootstrap,
        "PIPEROLL_POSTGRES_DSN": addresses.postgres_dsn,
        "PIPEROLL_BLOB_URL": addresses.blobs.as_uri(),
        "PIPEROLL_PARTITIONS": str(partitions),
        "PIPEROLL_REPLICATION_FACTOR": "1",
        "PIPEROLL_SEAL_KEYS": secrets.seal_keys,
        "PIPEROLL_KEY_PEPPER": secrets.key_pepper,
        "PIPEROLL_API_HOST": "127.0.0.1",
        "PIPEROLL_API_PORT": str(addresses.api_port),
        "PIPEROLL_HEALTH_PORT": "0",
        "PIPEROLL_BOOTSTRAP_KEYS": ",".join(secrets.api_keys),
    }
    return {**proposed, **own, **extra}


def service_environment(
    inherited: Mapping[str, str], shared: Mapping[str, str], instance: str, health_port: int
) -> dict[str, str]:
    """Return the whole environment of one service process: inherited, then the settings, then its identity.

    `instance` is its static group membership id; `health_port` 0 means that it opens none.
    """
    identity = {"PIPEROLL_INSTANCE": instance, "PIPEROLL_HEALTH_PORT": str(health_port)}
    return {**inherited, **shared, **identity}
