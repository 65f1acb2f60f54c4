"""Faults of the network between the services and their stores: over connections of one store, or of one process."""

import asyncio
import random
from contextlib import AsyncExitStack

from tests.chaos.storm.faults.scene import HARMLESS, PROCESSES, Scene
from tests.chaos.storm.network.owners import ports_of
from tests.chaos.storm.network.proxy import Chosen, Proxy, Weather

CUTS = (
    ("was cut off from", Weather(requests=False, answers=False)),
    ("got no answer of", Weather(answers=False)),
    ("was refused by", Weather(connects=False)),
)


async def slow_the_network(scene: Scene) -> str:
    """Every piece is late."""
    delay_s = scene.seconds(0.05, 0.8)
    return await _under(scene, Weather(delay_s=delay_s), f"answers late by {1000 * delay_s:.0f} ms")


async def lose_acknowledgements(scene: Scene) -> str:
    """The store writes, and the connection is cut before its answer."""
    return await _under(scene, Weather(acknowledged=False), "loses its acknowledgements")


async def open_a_black_hole(scene: Scene) -> str:
    """Connections stay open, and nothing arrives on either side."""
    return await _under(scene, Weather(requests=False, answers=False), "was in a black hole")


async def open_connections_by_half(scene: Scene) -> str:
    """Requests arrive and are carried out, and no answer comes back."""
    return await _under(scene, Weather(answers=False), "was half open")


async def refuse_connections(scene: Scene) -> str:
    """All connections are reset, and new ones too."""
    name, proxy, chosen, share = _draw(scene)
    seconds = scene.seconds(1, 15)
    async with proxy.weather(Weather(connects=False), chosen):
        proxy.cut_all(chosen)
        await asyncio.sleep(seconds)
    return f"{name} refused {share} for {seconds:.0f} s"


async def cut_a_process_off(scene: Scene) -> str:
    """One process alone loses the network to a store, or to both; the others must go on."""
    name, seconds = scene.chances.choice(PROCESSES), scene.seconds(2, 20)
    stores = scene.chances.choice([["kafka"], ["postgres"], ["kafka", "postgres"]])
    what, weather = scene.chances.choice(CUTS)
    hit: set[int] = set()

    def is_its(port: int) -> bool:
        try:
            its = port in ports_of(scene.system.stack.pid(name))
        except HARMLESS:
            return False  # it was ended meanwhile, by another fault or by itself
        if its:
            hit.add(port)
        return its

    async with AsyncExitStack() as cuts:
        for store in stores:
            await cuts.enter_async_context(scene.proxies[store].weather(weather, is_its))
            if not weather.connects:
                scene.proxies[store].cut_all(is_its)
        await asyncio.sleep(seconds)
    return f"{name} {what} {' and '.join(stores)} for {seconds:.0f} s on {len(hit)} connections"


async def _under(scene: Scene, weather: Weather, what: str) -> str:
    name, proxy, chosen, share = _draw(scene)
    seconds, before = scene.seconds(2, 20), proxy.cut
    async with proxy.weather(weather, chosen):
        await asyncio.sleep(seconds)
    return f"{name} {what} for {seconds:.0f} s on {share}, {proxy.cut - before} were cut"


def _draw(scene: Scene) -> tuple[str, Proxy, Chosen, str]:
    """A store, and which of its connections are hit."""
    name = scene.chances.choice(sorted(scene.proxies))
    share = scene.chances.choice([0.3, 1.0])
    dice = random.Random(scene.chances.getrandbits(64))  # of its own: how often it is cast depends on the clock
    return name, scene.proxies[name], lambda port: dice.random() < share, f"{100 * share:.0f} % of its connections"
