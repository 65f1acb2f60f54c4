"""The comparison for `POST /api/jobs/`: FastAPI and aiokafka's `send_and_wait` alone.

Uses FastAPI in the usual way: a model for the body, a dictionary for the answer. Server settings, producer settings
and broker are those of the API. Arguments: the broker's address, the number of partitions. Prints its port.
"""

import asyncio
import json
import signal
import sys
from typing import Any
from uuid import uuid4

import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from fastapi import FastAPI
from pydantic import BaseModel

from services.api.http.server import listen, serve

TOPIC = "bench.bare.v1"


class Job(BaseModel):
    job_type: str
    parameters: dict[str, Any]
    user_id: str | None = None


def build_app(producer: AIOKafkaProducer) -> FastAPI:
    """One route, which appends the body to the log and returns a job id."""
    app = FastAPI()

    @app.post("/api/jobs/")
    async def create(job: Job) -> dict[str, Any]:
        job_id = f"job-{uuid4()}"
        await producer.send_and_wait(TOPIC, key=job_id.encode(), value=job.model_dump_json().encode())
        return {"status": "success", "data": {"job_id": job_id}}

    return app


async def run(bootstrap: str, partitions: int) -> None:
    """Create the topic and serve until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, partitions, 1)])
    await admin.close()
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True, linger_ms=0)
    await producer.start()
    with listen("127.0.0.1", 0) as listening:
        print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
        await serve(build_app(producer), listening, stopping)
    await producer.stop()


if __name__ == "__main__":
    uvloop.run(run(sys.argv[1], int(sys.argv[2])))
