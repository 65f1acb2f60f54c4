"""Page 5: the log. The Kafka topic is the truth; tables, webhooks and answers are derived from it.

Other services may subscribe to it. Its records are CloudEvents 1.0 in Kafka's binary mode: attributes are headers.
"""

import json

import asyncpg
from aiokafka import AIOKafkaConsumer

from tests.support.clients.commands import piperoll
from tests.support.stacks.system import Json, System


def access(system: System) -> Json:
    """What a client needs. Of `piperoll up`, its settings are under `env` in stack.json of the data folder."""
    settings = system.settings
    return {
        "bootstrap_servers": settings.kafka_bootstrap,
        "security_protocol": settings.kafka_security,
        "sasl_mechanism": settings.kafka_sasl_mechanism,
        "sasl_plain_username": settings.kafka_username,
        "sasl_plain_password": settings.kafka_password.get_secret_value(),
    }


async def test_a_subscriber_filters_by_headers_alone(system: System) -> None:
    """It needs no code of Piperoll. It reads a body only where the headers show that it wants it."""
    job_id = await system.create(steps=2)
    topic = "piperoll.jobs.events.v1"
    found = []
    async with AIOKafkaConsumer(topic, **access(system), auto_offset_reset="earliest") as consumer:
        async for record in consumer:
            headers = {name: value.decode() for name, value in record.headers}
            if headers["ce_subject"] == job_id:
                found.append((headers, record))
                if headers["ce_type"] == "piperoll.JobCompleted.v1":
                    break
    headers, record = found[0]
    assert headers["ce_type"] == "piperoll.JobCreated.v1"
    assert (headers["ce_specversion"], headers["ce_source"]) == ("1.0", "/piperoll/api")
    assert headers["content-type"] == "application/json"
    assert record.key == job_id.encode(), "all facts of a job are in one partition"
    assert json.loads(record.value)["job_type"] == "noop"


async def answers(system: System, job_id: str) -> list[Json]:
    """What the read model answers about a job."""
    paths = [f"/api/jobs/{job_id}", f"/api/jobs/{job_id}/events", f"/api/jobs/{job_id}/deliveries"]
    return [(await system.client.get(path)).json() for path in paths]


async def test_verify_compares_the_read_model_with_the_log(system: System) -> None:
    """`piperoll verify` folds the whole log itself. It exits with 0 only if each invariant that it checks holds."""
    await system.wait_for_end(await system.create())
    verified = await piperoll("verify", folder=system.stack.data_dir)
    assert verified.code == 0, verified.out
    assert "holds" in verified.out


async def test_a_read_model_that_is_lost_is_rebuilt_from_the_log(system: System) -> None:
    """`piperoll rebuild` reads the log from its beginning into new tables, and swaps them in while services run."""
    job_id = await system.create(steps=3)
    await system.wait_for_end(job_id)
    before = await answers(system, job_id)
    connection = await asyncpg.connect(system.settings.postgres_dsn.get_secret_value())
    await connection.execute("DELETE FROM read_v1.events WHERE job_id = $1", job_id)
    await connection.execute("DELETE FROM read_v1.jobs WHERE job_id = $1", job_id)
    await connection.close()
    assert (await piperoll("verify", folder=system.stack.data_dir)).code == 1

    rebuilt = await piperoll("rebuild", folder=system.stack.data_dir)
    assert rebuilt.code == 0, rebuilt.err
    assert await answers(system, job_id) == before
    assert (await piperoll("verify", folder=system.stack.data_dir)).code == 0
