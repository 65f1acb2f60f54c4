"""The settings of the stack's services, as environment variables. Pure: reads no environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from piperoll.embedded.private import Secrets
from piperoll.service_secrets import drop_foreign

# Defaults that the user's environment overrides. The other settings below override the environment: a
# PIPEROLL_POSTGRES_DSN left in a shell must not point a local stack at another database.
_DEFAULTS = {
    "PIPEROLL_ALLOW_PRIVATE_NETWORKS": "127.0.0.0/8,::1/128",  # for webhook receivers on this machine
    "PIPEROLL_ALLOW_PRIVATE_SOURCES": "",  # every key reads what jobs fetch
    "PIPEROLL_SESSION_TIMEOUT_S": "10",
    "PIPEROLL_STATIC_MEMBERSHIP": "true",  # a restart triggers no rebalance
    "PIPEROLL_LOG_LEVEL": "info",
    "PIPEROLL_LOG_FORMAT": "json",
    "PYTHONUNBUFFERED": "1",  # output before a crash must reach the log
}
_OF_ONE_PROCESS = frozenset({"PIPEROLL_INSTANCE", "PIPEROLL_HEALTH_PORT", "PIPEROLL_URL"})


@dataclass(frozen=True)
class Addresses:
    """The addresses of one stack; `kafka` are the settings of its clients, `blobs` is a folder."""

    kafka: Mapping[str, str]
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
    """Return the settings of all services and the command line. `extra` overrides the stack's, these inherited ones."""
    given = {name: value for name, value in inherited.items() if _is_shared(name)}
    fixed = {
        **addresses.kafka,
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
    return {**_DEFAULTS, **given, **fixed, **extra}


def _is_shared(name: str) -> bool:
    """Whether an inherited setting is one of the stack's, so that a service that is added later gets it too.

    Keys of providers stay in the environment only: these settings are written to a file.
    """
    return name in _DEFAULTS or (name.startswith("PIPEROLL_") and name not in _OF_ONE_PROCESS and "API_KEY" not in name)


def service_environment(
    inherited: Mapping[str, str], shared: Mapping[str, str], service: str, number: int, health_port: int
) -> dict[str, str]:
    """Return the environment of one process of a service, with the secrets that it uses. `health_port` 0 disables the
    health server."""
    identity = {"PIPEROLL_INSTANCE": f"{service}-{number}", "PIPEROLL_HEALTH_PORT": str(health_port)}
    variables = {**inherited, **shared, **identity}
    drop_foreign(variables, service)
    return variables
