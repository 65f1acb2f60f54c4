"""Postgres as it was some time ago."""

import asyncio

from tests.chaos.storm.faults.scene import Scene


async def restore_postgres(scene: Scene) -> str:
    """Restore the newest base backup; the services must go on by themselves. Then take the next backup."""
    await asyncio.sleep(max(0.0, scene.seconds(10, 60) - scene.backup.age_s))
    age_s, received = scene.backup.age_s, scene.system.receiver.received
    before = len(received)
    await scene.backup.restore()
    scene.restores.append((before, len(received)))
    await scene.backup.take()
    return f"Postgres was restored from a base backup, {age_s:.0f} s old"
