"""Queries of a search while the provider of the vectors does not answer."""

import asyncio

from piperoll.embeddings import LOCAL_MODEL, MISTRAL_MODEL, Remote
from services.api.folders.query_vectors import AT_ONCE_OF_OWNER, QueryVectors
from tests.support.waiting import wait_until

MANY = 50


async def test_one_owner_whose_queries_get_no_answer_delays_neither_another_one_nor_other_work() -> None:
    callers: list[asyncio.StreamWriter] = []

    async def hold(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        callers.append(writer)

    async with await asyncio.start_server(hold, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        vectors = QueryVectors(Remote(key="key", url=f"http://127.0.0.1:{port}"))
        waiting = [asyncio.create_task(vectors.of("greedy", MISTRAL_MODEL, "harbour")) for _ in range(MANY)]
        await wait_until(lambda: len(callers) == AT_ONCE_OF_OWNER, 30, "queries of one owner to wait")
        assert len(await asyncio.wait_for(vectors.of("modest", LOCAL_MODEL, "harbour"), 30)) == 384
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "done"), 5) == "done"
        assert len(callers) == AT_ONCE_OF_OWNER
        for task in waiting:
            task.cancel()
        for caller in callers:
            caller.close()
        await asyncio.gather(*waiting, return_exceptions=True)
