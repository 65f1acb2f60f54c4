"""The comparison for `POST /api/jobs/`: FastAPI and aiokafka's `send_and_wait` alone.

Uses FastAPI in the usual way: a model for the body, a dictionary for the answer. Server settings, producer settings
and broker are those of the API. Argument: the data folder of the running stack. Prints its port.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import Any
from uuid import uuid4

import uvloop
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from fastapi import FastAPI
from pydantic import BaseModel

from piperoll.cli.target import settings_of
from piperoll.log.kafka import client_options
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


async def run(data_dir: Path) -> None:
    """Create the topic and serve until SIGTERM."""
    stopping = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopping.set)
    settings = settings_of(data_dir)
    admin = AIOKafkaAdminClient(**client_options(settings))
    await admin.start()
    await admin.create_topics([NewTopic(TOPIC, settings.partitions, 1)])
    await admin.close()
    producer = AIOKafkaProducer(**client_options(settings), acks="all", enable_idempotence=True, linger_ms=0)
    await producer.start()
    with listen("127.0.0.1", 0) as listening:
        print(json.dumps({"port": listening.getsockname()[1]}), flush=True)
        await serve(build_app(producer), listening, stopping)
    await producer.stop()


if __name__ == "__main__":
    uvloop.run(run(Path(sys.argv[1])))
