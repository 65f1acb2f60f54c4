"""Findings of `piperoll doctor`, from the settings and from what the probes measured.

Of the machine it reads where the folders of the settings are, and nothing else.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qsl, urlsplit

from piperoll.cli.console import counted
from piperoll.embedded.given_keys import WANTED_CHARS
from piperoll.installation.file_roots import refusal_of_roots
from piperoll.installation.survey import Survey
from piperoll.settings import Network, Settings

Level = Literal["ok", "warn", "fail"]

WIDE_PREFIX = {4: 16, 6: 64}  # a network that is wider than this is more than one site needs
LOW_SPACE, NO_SPACE = 5 * 10**9, 5 * 10**8  # bytes free
LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
ENCRYPTED = frozenset({"require", "verify-ca", "verify-full"})
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check; for `warn` and `fail` the sentence includes what to do."""

    level: Level
    subject: str
    sentence: str


def of_settings(settings: Settings, embedded: bool) -> list[Finding]:
    """Check the settings for risks. `embedded`: they are those of a `piperoll up` stack."""
    return [
        _secrets(settings),
        _keys(settings),
        _noop(settings),
        _networks(settings.private_networks),
        _sources(settings.private_sources),
        *_roots(settings),
        _replication(settings, embedded),
        _exposure(settings),
    ]


def _secrets(settings: Settings) -> Finding:
    missing = [
        name
        for name, value in (("PIPEROLL_SEAL_KEYS", settings.seal_keys), ("PIPEROLL_KEY_PEPPER", settings.key_pepper))
        if not value.get_secret_value()
    ]
    if missing:
        return Finding("fail", "secrets", f"{' and '.join(missing)} not set: generate 32 random bytes for each")
    return Finding("ok", "secrets", "the sealing keys and the pepper are set")


def _keys(settings: Settings) -> Finding:
    keys = [key for key in settings.bootstrap_keys.get_secret_value().split(",") if key]
    short = sum(len(key) < WANTED_CHARS for key in keys)
    if short:
        return Finding(
            "warn", "API keys", f"{short} of PIPEROLL_BOOTSTRAP_KEYS are too short: use keys of `piperoll keys create`"
        )
    return Finding("ok", "API keys", f"{len(keys)} in the settings, none of them short")


def _noop(settings: Settings) -> Finding:
    if settings.enable_noop:
        return Finding(
            "warn",
            "noop jobs",
            "enabled; they sleep, crash and fill memory on request: unset PIPEROLL_ENABLE_NOOP outside tests",
        )
    return Finding("ok", "noop jobs", "off")


def _networks(networks: Iterable[Network]) -> Finding:
    others = [network for network in networks if not any(_within(network, local) for local in LOOPBACK)]
    wide = [str(network) for network in others if network.prefixlen < WIDE_PREFIX[network.version]]
    if wide:
        return Finding(
            "warn",
            "webhooks",
            f"may reach all of {', '.join(wide)}: narrow PIPEROLL_ALLOW_PRIVATE_NETWORKS to the receivers",
        )
    return Finding("ok", "webhooks", f"allowed private networks: {', '.join(map(str, networks)) or 'none'}")


def _sources(networks: Iterable[Network]) -> Finding:
    allowed = ", ".join(map(str, networks))
    if any(_within(network, local) for network in networks for local in LOOPBACK):
        return Finding(
            "warn",
            "sources",
            f"every key can read what answers without a password on this machine ({allowed}): narrow "
            "PIPEROLL_ALLOW_PRIVATE_SOURCES to what jobs need",
        )
    return Finding("ok", "sources", f"private networks that jobs may fetch from: {allowed or 'none'}")


def _within(network: Network, outer: Network) -> bool:
    if isinstance(network, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return network.subnet_of(outer)
    if isinstance(network, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return network.subnet_of(outer)
    return False


def _roots(settings: Settings) -> list[Finding]:
    if not settings.roots:
        return [Finding("ok", "files", "jobs may name uploads only: PIPEROLL_FILES_ROOTS is empty")]
    if refusal := refusal_of_roots(settings):
        return [Finding("fail", "files", refusal)]
    return [Finding("ok", "files", f"jobs may name files in {root}") for root in settings.roots]


def _replication(settings: Settings, embedded: bool) -> Finding:
    if settings.replication_factor == 1 and not embedded:
        return Finding(
            "warn",
            "replication",
            "each record is on one broker only, and is lost with it: create topics with PIPEROLL_REPLICATION_FACTOR=3",
        )
    copies = "one copy, since there is one machine" if embedded else f"{settings.replication_factor} copies"
    return Finding("ok", "replication", copies)


def _exposure(settings: Settings) -> Finding:
    bare = [part.rpartition(":")[0].strip("[]") for part in settings.kafka_bootstrap.split(",")]
    if "SSL" not in settings.kafka_security.split("_") and any(host not in LOCAL_HOSTS for host in bare):
        return Finding(
            "warn",
            "exposure",
            "records are sent to Kafka unencrypted: set PIPEROLL_KAFKA_SECURITY to SSL or SASL_SSL unless the network "
            "is trusted",
        )
    if not _is_encrypted(settings.postgres_dsn.get_secret_value()):
        return Finding(
            "warn",
            "exposure",
            "rows may be sent to Postgres unencrypted: add sslmode=verify-full to PIPEROLL_POSTGRES_DSN unless the "
            "network is trusted",
        )
    if settings.api_host not in LOCAL_HOSTS:
        return Finding(
            "warn", "exposure", f"the API listens on {settings.api_host} without TLS: put a TLS proxy in front of it"
        )
    return Finding("ok", "exposure", "the API listens on this machine only")


def _is_encrypted(dsn: str) -> bool:
    """Whether Postgres is on this machine, or is reached over TLS."""
    parts = urlsplit(dsn)
    options = dict(parse_qsl(parts.query))
    host = parts.hostname or options.get("host", "")
    return not host or host in LOCAL_HOSTS or host.startswith("/") or options.get("sslmode", "") in ENCRYPTED


def of_open_kafka(embedded: bool) -> Finding:
    """Check a Kafka without an authorizer."""
    if embedded:
        return Finding("ok", "Kafka's ACLs", "none: its one account has a password that is in the data folder alone")
    return Finding(
        "warn",
        "Kafka's ACLs",
        "there is no authorizer, so each client may write all topics: set one, then run `piperoll topics acl`",
    )


def of_rights(lacking: Iterable[str], needless: Iterable[str]) -> list[Finding]:
    """Check the rights of the services in Kafka."""
    found = [Finding("fail", "Kafka's ACLs", sentence) for sentence in lacking]
    found += [Finding("warn", "Kafka's ACLs", sentence) for sentence in needless]
    return found or [Finding("ok", "Kafka's ACLs", "each service has the rights that it needs, and no more")]


def of_space(folder: Path, free: int) -> Finding:
    """Check the free bytes on the disk of `folder`."""
    text = f"{free / 1e9:,.1f} GB free for {folder}"
    if free < NO_SPACE:
        return Finding("fail", "disk", f"{text}: Kafka and Postgres stop when it is full; make room")
    return Finding("warn", "disk", f"{text}: make room soon") if free < LOW_SPACE else Finding("ok", "disk", text)


def of_memory(settings: Settings, total: int) -> Finding:
    """Check that the jobs of all slots fit into `total` bytes of memory at their limit."""
    needed = settings.slots * settings.job_memory_bytes
    text = f"{settings.slots} concurrent jobs may take {needed / 1e9:,.1f} of {total / 1e9:,.1f} GB"
    if needed > total:
        return Finding("warn", "memory", f"{text}: lower PIPEROLL_SLOTS or PIPEROLL_JOB_MEMORY_BYTES")
    return Finding("ok", "memory", text)


def of_python(version: tuple[int, int]) -> Finding:
    """Check the Python version."""
    text = f"{version[0]}.{version[1]}"
    if version < (3, 11):
        return Finding("fail", "Python", f"{text} is too old: install Python 3.11 or newer")
    return Finding("ok", "Python", text)


def of_user(is_root: bool, embedded: bool) -> Finding:
    """Check whether Piperoll runs as root."""
    if not is_root:
        return Finding("ok", "user", "not root")
    effect = "Postgres runs as a separate account" if embedded else "jobs may name any file of the machine"
    return Finding("warn", "user", f"root, so {effect}: run Piperoll as an ordinary user")


def of_sandbox(mode: str, measures: Iterable[tuple[str, bool, str]]) -> list[Finding]:
    """Check what confines the processes that read files; `measures` are name, whether it holds, and more about it."""
    if mode == "off":
        return [Finding("warn", "sandbox", "off: a hostile file may read all secrets; unset PIPEROLL_SANDBOX")]
    return [
        Finding("ok" if held else "fail" if mode == "require" else "warn", "sandbox", f"{name}: {about}")
        for name, held, about in measures
    ]


def of_installation(found: Survey) -> list[Finding]:
    """Check that the log, the blob store and the tables are those of one installation."""
    if found.problems:
        return [Finding("fail", "installation", problem) for problem in found.problems]
    if found.marker is None:
        return [Finding("ok", "installation", "not begun: the first service writes the marker into the blob store")]
    tables = ", ".join(schema for schema, owner in found.tables.items() if owner is not None) or "no tables yet"
    return [
        Finding(
            "ok",
            "installation",
            f"{found.marker.id}: the Kafka cluster {found.log.cluster_id}, the blob store, {tables}",
        )
    ]


def of_vectors(version: str | None) -> Finding:
    """Check the version of pgvector; None when Postgres does not have it."""
    if version is None:
        return Finding(
            "fail",
            "pgvector",
            "not installed in Postgres, and the projector needs it: install the package postgresql-18-pgvector on its "
            "machine, or run the image pgvector/pgvector:pg18",
        )
    return Finding("ok", "pgvector", version)


def of_letters(stopped: Sequence[str], parked: int) -> list[Finding]:
    """Check for partitions that stopped, by the records at which they did, and for parked records."""
    findings = [
        Finding(
            "fail",
            "partition",
            f"stopped at {name}, an event of a later release: deploy it, or `piperoll dead-letters skip {name}`",
        )
        for name in stopped
    ]
    if parked:
        text = f"{counted(parked, 'record')} parked that could not be used: `piperoll dead-letters list` shows why"
        findings.append(Finding("warn", "dead letters", text))
    return findings or [Finding("ok", "dead letters", "none wait for a decision")]
