"""Search for a text in everything that a system stores: blobs and their names, rows, records, the processes' lines."""

import os
from contextlib import suppress
from pathlib import Path

import asyncpg

from piperoll.domain.words import words_of
from piperoll.log.kafka import KafkaOffsets
from schemas.topics import MANIFEST
from tests.support.stacks.system import System
from tests.support.waiting import wait_until

Place = tuple[str, bytes]


def blobs_of(system: System) -> list[Place]:
    """Every blob, and the names of all files and folders."""
    found: list[Place] = []
    for folder, _, names in os.walk(system.settings.blob_url.removeprefix("file://")):
        found.append((folder, b""))
        for path in (Path(folder, name) for name in names):
            with suppress(FileNotFoundError):  # deleted during the walk
                found.append((str(path), path.read_bytes()))
    return found


def lines_of(system: System) -> list[Place]:
    """What the services and stores have written about themselves."""
    return [(str(path), path.read_bytes()) for path in (system.stack.data_dir / "logs").iterdir()]


async def rows(system: System) -> list[Place]:
    """Every row of every table."""
    found: list[Place] = []
    connection = await asyncpg.connect(system.settings.postgres_dsn.get_secret_value())
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', table_schema, table_name) AS name FROM information_schema.tables "
            "WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
        )
        for table in tables:
            content = await connection.fetch(f"SELECT t::text AS row FROM {table['name']} t")
            found += [(table["name"], row["row"].encode()) for row in content]
    finally:
        await connection.close()
    return found


async def records(system: System) -> list[Place]:
    """Every record of every topic: key, value and headers."""
    found: list[Place] = []
    offsets = KafkaOffsets(system.settings)
    await offsets.start()
    try:
        for topic in MANIFEST:
            begin, end = await offsets.begin_offsets(topic), await offsets.end_offsets(topic)
            for record in await offsets.read_range(topic, begin, end):
                headers = b" ".join(value for _, value in record.headers)
                found.append((topic.name, b" ".join((record.key or b"", record.value or b"", headers))))
    finally:
        await offsets.stop()
    return found


async def found_in(system: System, *secrets: str) -> list[str]:
    """The places that hold one of the secrets, in their content or in their name."""
    places = [*blobs_of(system), *await rows(system), *await records(system), *lines_of(system)]
    found = {
        f"{secret} in {name}"
        for name, content in places
        for secret in secrets
        if secret in name or secret.encode() in content or _has_words(name, content, secret)
    }
    return sorted(found)


def _has_words(name: str, content: bytes, secret: str) -> bool:
    """Whether a row of the words of jobs has all words of a secret."""
    return name == "read_v1.job_words" and all(f"'{word}'".encode() in content for word in words_of(secret))


async def until_gone(system: System, *secrets: str) -> None:
    async def gone() -> bool:
        left[:] = await found_in(system, *secrets)
        return not left

    left: list[str] = []
    try:
        await wait_until(gone, 60, "the secrets to be gone")
    except AssertionError as error:
        raise AssertionError(f"still there: {left}") from error
