"""The gate of claims: closed by a fault of the installation, opened by a successful try, and ended by the stop."""

import asyncio
import time

from piperoll.store.blobs import BlobStoreError
from services.worker.manager.claim_gate import ClaimGate
from tests.support.waiting import PATIENCE_S, wait_until

SOON_S = 5.0  # a stop has to leave time for the drain


async def answers() -> None:
    pass


async def ends_soon(gate: ClaimGate, stopping: asyncio.Event, running: "asyncio.Task[None]") -> None:
    began = time.monotonic()
    stopping.set()
    async with asyncio.timeout(PATIENCE_S):
        await running
    assert time.monotonic() - began < SOON_S


async def test_an_open_gate_ends_at_the_stop() -> None:
    gate, stopping = ClaimGate({"the blob store": answers}), asyncio.Event()
    running = asyncio.create_task(gate.run(stopping))
    await wait_until(lambda: gate.open, PATIENCE_S, "the gate to open")
    await ends_soon(gate, stopping, running)


async def test_a_closed_gate_ends_at_the_stop() -> None:
    async def away() -> None:
        raise BlobStoreError("away")

    gate, stopping = ClaimGate({"the blob store": away}), asyncio.Event()
    running = asyncio.create_task(gate.run(stopping))
    await wait_until(lambda: "away" in (gate.problem() or ""), PATIENCE_S, "the gate to try the store")
    await ends_soon(gate, stopping, running)


async def test_a_gate_that_a_fault_closed_opens_again() -> None:
    gate, stopping = ClaimGate({"the blob store": answers}), asyncio.Event()
    running = asyncio.create_task(gate.run(stopping))
    await wait_until(lambda: gate.open, PATIENCE_S, "the gate to open")
    gate.close("the disk is full")
    assert not gate.open
    await wait_until(lambda: gate.open, PATIENCE_S, "the gate to open again")
    await ends_soon(gate, stopping, running)
