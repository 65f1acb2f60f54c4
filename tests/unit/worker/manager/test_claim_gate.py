"""The gate before claims ends with its worker."""

import asyncio

from services.worker.manager.claim_gate import ClaimGate
from tests.support.waiting import wait_until


async def test_an_open_gate_ends_at_the_stop() -> None:
    gate, stopping = ClaimGate({}), asyncio.Event()
    running = asyncio.create_task(gate.run(stopping))
    await wait_until(lambda: gate.open, 5, "the gate to open")
    stopping.set()
    await asyncio.wait_for(running, 5)


async def test_a_closed_gate_ends_at_the_stop() -> None:
    async def away() -> None:
        raise OSError("no such folder")

    gate, stopping = ClaimGate({"the scratch folder": away}), asyncio.Event()
    running = asyncio.create_task(gate.run(stopping))
    await wait_until(lambda: "no such folder" in str(gate.problem()), 5, "the probe to fail")
    stopping.set()
    await asyncio.wait_for(running, 5)
    assert not gate.open
