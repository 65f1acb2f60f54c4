"""Processes that are killed, frozen or restarted: of the services, and of the broker."""

import asyncio
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psutil

from tests.chaos.storm.faults.scene import PROCESSES, Scene


async def kill_a_process(scene: Scene) -> str:
    """SIGKILL of any process of a service; the supervisor starts it again."""
    name = scene.chances.choice(PROCESSES)
    await scene.system.stack.kill(name)
    return f"killed {name}"


async def kill_every_service(scene: Scene) -> str:
    """SIGKILL of all of them at the same time."""
    await asyncio.gather(*(scene.system.stack.kill(name) for name in PROCESSES))
    return "killed all services"


async def freeze_a_process(scene: Scene) -> str:
    """SIGSTOP for longer than its session lasts: a zombie when it wakes."""
    name, seconds = scene.chances.choice(PROCESSES), scene.seconds(2, 20)
    async with _frozen(scene.system.stack.pid(name)):
        await asyncio.sleep(seconds)
    return f"{name} was frozen for {seconds:.0f} s"


async def stop_and_start_a_process(scene: Scene) -> str:
    """SIGTERM: it drains, and comes back."""
    name = scene.chances.choice(PROCESSES)
    await scene.system.stack.stop_service(name)
    await scene.system.stack.start_service(name)
    return f"{name} was restarted"


async def kill_the_broker(scene: Scene) -> str:
    """SIGKILL: acknowledgements on their way are lost."""
    await scene.system.stack.kill("kafka")
    return "killed Kafka"


async def shake_the_groups(scene: Scene) -> str:
    """Members leave their consumer groups and join again, some without a word, faster than the groups settle."""
    names = [name for name in PROCESSES if not name.startswith("api")]
    rounds = scene.chances.randint(4, 8)
    for _ in range(rounds):
        name = scene.chances.choice(names)
        if scene.chances.random() < 0.5:
            await scene.system.stack.kill(name)
        else:
            await scene.system.stack.stop_service(name)
            await scene.system.stack.start_service(name)
        await asyncio.sleep(scene.seconds(0, 3))
    return f"members left and joined their groups {rounds} times"


async def freeze_the_broker(scene: Scene) -> str:
    """Connections stay open, and nothing answers."""
    seconds = scene.seconds(2, 15)
    async with _frozen(scene.system.stack.pid("kafka")):
        await asyncio.sleep(seconds)
    return f"Kafka was frozen for {seconds:.0f} s"


async def stop_a_store(scene: Scene) -> str:
    """An outage that every client notices at once, of Kafka or of Postgres."""
    stack, seconds = scene.system.stack, scene.seconds(2, 20)
    name, stop, start = scene.chances.choice(
        [("Kafka", stack.stop_kafka, stack.start_kafka), ("Postgres", stack.stop_postgres, stack.start_postgres)]
    )
    await stop()
    await asyncio.sleep(seconds)
    await start()
    return f"{name} was away for {seconds:.0f} s"


@asynccontextmanager
async def _frozen(pid: int) -> AsyncIterator[None]:
    process = psutil.Process(pid)
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        if process.is_running():
            process.send_signal(signal.SIGCONT)
