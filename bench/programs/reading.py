"""Reads one job over HTTP again and again. `python -m bench.programs.reading URL KEY JOB_ID` prints `{}` at its start.

At each line on its standard input it prints the number of reads since the last one, and the longest, in seconds.
"""

import asyncio
import json
import sys
import time

import uvloop

from bench.programs.wire import Client, request

PAUSE_S = 0.005


async def main(url: str, key: str, job_id: str) -> None:
    """Read until the end of the input. Raises RequestFailedError at an answer other than 200."""
    client, message, seconds = Client(url), request(url, key, "GET", f"/api/jobs/{job_id}"), list[float]()

    async def read() -> None:
        while True:
            began = time.monotonic()
            await client.ask(message)
            seconds.append(time.monotonic() - began)
            await asyncio.sleep(PAUSE_S)

    async def answer() -> None:
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps({"reads": len(seconds), "longest": max(seconds, default=0.0)}), flush=True)
            seconds.clear()

    print("{}", flush=True)
    reading, answering = asyncio.create_task(read()), asyncio.create_task(answer())
    await asyncio.wait({reading, answering}, return_when=asyncio.FIRST_COMPLETED)
    if reading.done():
        reading.result()
    reading.cancel()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
