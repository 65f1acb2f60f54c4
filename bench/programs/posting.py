"""Posts a job again and again without a pause. `python -m bench.programs.posting URL KEY CLIENTS BODY` prints `{}`.

At each line on its standard input it prints the number of answers since the last one, by whether they were 200.
"""

import asyncio
import json
import sys
from collections import Counter

import uvloop

from bench.programs.wire import Client, RequestFailedError, request


async def main(url: str, key: str, clients: str, body: str) -> None:
    """Post until the end of the input; a refusal is an answer as well."""
    message, answers = request(url, key, "POST", "/api/jobs/", body.encode()), Counter[str]()

    async def post() -> None:
        client = Client(url)
        while True:
            try:
                await client.ask(message)
                answers["accepted"] += 1
            except RequestFailedError:
                answers["refused"] += 1

    async def answer() -> None:
        while await asyncio.to_thread(sys.stdin.readline):
            print(json.dumps(answers), flush=True)
            answers.clear()

    print("{}", flush=True)
    posting = [asyncio.create_task(post()) for _ in range(int(clients))]
    await answer()
    for task in posting:
        task.cancel()


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
