"""The disk of the blob store: away, full, or read-only."""

import asyncio
from collections.abc import Awaitable, Callable

from tests.chaos.storm.faults.scene import LeftOutError, Scene


async def hide_the_blob_store(scene: Scene) -> str:
    """The folder is away, as a volume that is not mounted."""
    blobs, seconds = scene.disk.blobs, scene.seconds(1, 10)
    away = blobs.with_name("blobs-away")
    blobs.rename(away)
    await asyncio.sleep(seconds)
    if blobs.exists():  # a write made it again: nothing of it was acknowledged, as the identity is missing
        blobs.rename(blobs.with_name(f"blobs-written-meanwhile-{scene.chances.getrandbits(32):08x}"))
    away.rename(blobs)
    return f"the blob store was away for {seconds:.0f} s"


async def fill_the_disk(scene: Scene) -> str:
    """No byte can be written, what is there can be read."""
    return await _for_a_while(scene, scene.disk.fill, "full")


async def make_the_disk_read_only(scene: Scene) -> str:
    """As after an error of the file system."""
    return await _for_a_while(scene, scene.disk.make_read_only, "read-only")


async def _for_a_while(scene: Scene, spoil: Callable[[], Awaitable[None]], state: str) -> str:
    seconds = scene.seconds(2, 15)
    _require_a_disk(scene)
    await spoil()
    try:
        await asyncio.sleep(seconds)
    finally:
        await scene.disk.heal()
    return f"the disk of the blob store was {state} for {seconds:.0f} s"


def _require_a_disk(scene: Scene) -> None:
    if not scene.disk.mounted:
        raise LeftOutError("the blob store has no disk of its own: mounting one needs root")
