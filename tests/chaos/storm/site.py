"""The system of a storm: two processes of each service, proxies before the stores, and a disk for the blobs."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from piperoll.embedded.ports import HOST, PortBook
from piperoll.embedded.postgres import USER
from piperoll.embedded.private import load_secrets
from piperoll.embedded.stack import DATABASE, SERVICES, Stack, StackOptions
from tests.chaos.storm.disk import Disk, disk
from tests.chaos.storm.network.proxy import Proxy
from tests.chaos.storm.network.wires import KafkaWire, PostgresWire
from tests.support.servers.receiver import Receiver
from tests.support.stacks.system import System

SETTINGS = {
    "PIPEROLL_ENABLE_NOOP": "true",
    "PIPEROLL_SLOTS": "4",
    "PIPEROLL_RETRY_BASE_S": "0.5",
    "PIPEROLL_HANDOVER_GRACE_S": "5",
    "PIPEROLL_CHECKPOINT_INTERVAL_S": "3",
    "PIPEROLL_SWEEP_INTERVAL_S": "10",
    "PIPEROLL_RATE_LIMIT": "100000",
    "PIPEROLL_JOB_MEMORY_BYTES": str(512 * 1024 * 1024),
}


@dataclass(frozen=True, slots=True)
class Site:
    """A running system; `clients` has one client for each process of the API."""

    system: System
    clients: list[httpx.AsyncClient]
    proxies: dict[str, Proxy]
    disk: Disk


@asynccontextmanager
async def site(folder: Path) -> AsyncIterator[Site]:
    """Run the system in `folder` until the end of the block."""
    data, files = folder / "data", folder / "files"
    for made in (data, files):
        made.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as parts:
        blob_disk = await parts.enter_async_context(disk(folder / "disk"))
        proxies = await _proxies(data, parts)
        second_api = f"http://{HOST}:{PortBook(data).assign('api-1')}"  # the port that the stack will choose
        options = StackOptions(
            extra_env={**SETTINGS, **_addresses(data, proxies), "PIPEROLL_BLOB_URL": blob_disk.blobs.as_uri()},
            processes=dict.fromkeys(SERVICES, 2),
        )
        receiver = await parts.enter_async_context(Receiver())
        stack = await parts.enter_async_context(Stack(data, options))
        await stack.wait_ready(120)
        headers = {"Authorization": f"Bearer {stack.api_key}"}
        clients = [
            await parts.enter_async_context(httpx.AsyncClient(base_url=url, headers=headers, timeout=30))
            for url in (stack.api_url, second_api)
        ]
        yield Site(System(stack, clients[0], receiver, files), clients, proxies, blob_disk)


async def _proxies(data: Path, parts: AsyncExitStack) -> dict[str, Proxy]:
    """A proxy before each store, whose port is the one that the stack will choose."""
    ports = PortBook(data)
    proxies = {}
    for name, wire in (("kafka", KafkaWire), ("postgres", PostgresWire)):
        proxies[name] = Proxy(ports.assign(name), wire)
        await proxies[name].start(ports.assign(f"{name}-proxy"))
        parts.push_async_callback(proxies[name].stop)
    return proxies


def _addresses(data: Path, proxies: dict[str, Proxy]) -> dict[str, str]:
    """The settings that lead the services to the proxies."""
    password = load_secrets(data).postgres_password
    return {
        "PIPEROLL_KAFKA_BOOTSTRAP": f"{HOST}:{proxies['kafka'].port}",
        "PIPEROLL_POSTGRES_DSN": f"postgresql://{USER}:{password}@{HOST}:{proxies['postgres'].port}/{DATABASE}",
    }
