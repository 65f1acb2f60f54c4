"""The embedded stack: a real Kafka, a real Postgres and stand-in services, started, killed and found again."""

import asyncio
import json
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import psutil
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from piperoll.embedded import supervisor
from piperoll.embedded.errors import StackError
from piperoll.embedded.stack import Stack, StackOptions
from piperoll.log.kafka import client_options
from piperoll.settings import Settings
from tests.support.waiting import PATIENCE_S, wait_until

STAND_IN = """\
import http.server, json, os, sys
service = sys.argv[1]
print(json.dumps({name: value for name, value in os.environ.items() if name.startswith("PIPEROLL_")}), flush=True)
port = os.environ["PIPEROLL_API_PORT" if service == "api" else "PIPEROLL_HEALTH_PORT"]
class Ready(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", int(port)), Ready).serve_forever()
"""


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pid_of(stack: Stack, name: str) -> int | None:
    try:
        return stack.pid(name)
    except StackError:
        return None


@pytest.fixture(scope="module")
def command(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, ...]:
    script = tmp_path_factory.mktemp("stand-in") / "service.py"
    script.write_text(STAND_IN)
    return (sys.executable, str(script))


@pytest.fixture(scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory, command: tuple[str, ...]) -> AsyncIterator[Stack]:
    """One stack for the tests that leave it as they found it; its folder is 0700, as temporary folders are."""
    folder = tmp_path_factory.mktemp("stack") / "data"
    options = StackOptions(service_command=command, processes={"worker": 2}, api_keys=["first.key"])
    async with Stack(folder, options) as running:
        await running.wait_ready(30)
        yield running


async def test_kafka_and_postgres_answer_once_the_stack_has_started(stack: Stack) -> None:
    admin = AIOKafkaAdminClient(**client_options(Settings.from_environment(stack.environment)))
    await admin.start()
    assert len((await admin.describe_cluster())["brokers"]) == 1
    await admin.close()
    connection = await asyncpg.connect(stack.environment["PIPEROLL_POSTGRES_DSN"])
    assert await connection.fetchval("SELECT current_setting('server_version_num')::int / 10000") == 18
    await connection.close()


async def test_postgres_asks_for_the_password(stack: Stack) -> None:
    dsn = stack.environment["PIPEROLL_POSTGRES_DSN"]
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(dsn, password="another")


async def test_all_servers_listen_on_the_loopback_address_only(stack: Stack) -> None:
    for name in ("kafka", "postgres"):
        listening = [
            connection.laddr.ip.removeprefix("::ffff:")
            for connection in psutil.Process(stack.pid(name)).net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN
        ]
        assert set(listening) == {"127.0.0.1"}, name


async def test_stack_json_with_addresses_and_process_ids_is_readable_by_its_owner_only(stack: Stack) -> None:
    path = stack.data_dir / "stack.json"
    written = json.loads(path.read_text())
    assert path.stat().st_mode & 0o777 == 0o600
    assert written["api_url"] == stack.api_url
    assert written["env"] == stack.environment
    assert written["pids"] == {name: stack.pid(name) for name in written["pids"]}
    assert set(written["pids"]) == {
        "kafka", "postgres", "api", "worker", "worker-1", "projector", "notifier",
    }  # fmt: skip


async def test_folders_with_content_are_closed_to_others(stack: Stack) -> None:
    for name in ("private", "blobs", "kafka", "logs", "postgres"):
        assert (stack.data_dir / name).stat().st_mode & 0o077 == 0, name


async def test_each_service_process_gets_its_own_instance_name_and_health_port(stack: Stack) -> None:
    names = ("api", "worker", "worker-1", "projector", "notifier")
    logs = [stack.data_dir / "logs" / f"{name}.log" for name in names]
    await wait_until(lambda: all(log.stat().st_size for log in logs), 10, "every service has spoken")
    seen = [json.loads(log.read_text().splitlines()[0]) for log in logs]
    instances = ["api-0", "worker-0", "worker-1", "projector-0", "notifier-0"]
    assert [env["PIPEROLL_INSTANCE"] for env in seen] == instances
    ports = {env["PIPEROLL_HEALTH_PORT"] for env in seen}
    assert len(ports - {"0"}) == len(instances)


async def test_a_killed_service_is_back_within_two_seconds(stack: Stack) -> None:
    before = stack.pid("worker-0")
    await stack.kill("worker")
    await wait_until(lambda: pid_of(stack, "worker") not in (None, before), 2, "the worker is back")
    assert supervisor._LONGEST_DELAY_S <= 2, "so long it waits at most; the start itself takes what the machine needs"


async def test_a_stopped_service_stays_away_until_it_is_started(stack: Stack) -> None:
    await stack.stop_service("notifier")
    assert pid_of(stack, "notifier") is None
    await stack.start_service("notifier")
    assert runs(stack.pid("notifier"))


async def test_a_second_stack_on_the_same_folder_is_refused_and_the_first_goes_on(stack: Stack) -> None:
    with pytest.raises(StackError, match="in use by another running stack"):
        await Stack(stack.data_dir).start()
    await stack.wait_ready(5)


async def test_a_taken_port_is_named_in_the_refusal_and_nothing_is_left_running(stack: Stack, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(StackError, match=f"port {port} is in use"):
            await Stack(tmp_path, StackOptions(port=port)).start()
    assert not (tmp_path / "stack.json").exists()


async def test_killed_stores_come_back_at_their_ports_with_their_data(stack: Stack) -> None:
    connection = await asyncpg.connect(stack.postgres.dsn("piperoll"))
    await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    await connection.close()
    admin = AIOKafkaAdminClient(**client_options(Settings.from_environment(stack.environment)))
    await admin.start()
    await admin.create_topics([NewTopic("kept", num_partitions=1, replication_factor=1)])
    await admin.close()
    addresses = (stack.kafka.bootstrap, stack.postgres.dsn())

    await stack.kill("kafka")
    await stack.kill("postgres")
    await stack.start_kafka()
    await stack.start_postgres()

    assert addresses == (stack.kafka.bootstrap, stack.postgres.dsn())
    connection = await asyncpg.connect(stack.postgres.dsn("piperoll"))
    assert await connection.fetchval("SELECT n FROM kept") == 7
    await connection.close()
    admin = AIOKafkaAdminClient(**client_options(Settings.from_environment(stack.environment)))
    await admin.start()
    assert "kept" in await admin.list_topics()
    await admin.close()


SUPERVISOR = """\
import asyncio, sys
from pathlib import Path
from piperoll.embedded.postgres import EmbeddedPostgres, stop_orphan
from piperoll.embedded.stack import Stack, StackOptions
async def main():
    async with Stack(Path(sys.argv[1]), StackOptions(service_command=sys.argv[2:])):
        print("up", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


async def test_after_the_supervisor_was_killed_nothing_runs_on_and_a_second_stack_is_untouched(
    stack: Stack, tmp_path: Path, command: tuple[str, ...]
) -> None:
    neighbours = json.loads((stack.data_dir / "stack.json").read_text())["pids"]
    supervisor = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SUPERVISOR, str(tmp_path), *command, stdout=subprocess.PIPE
    )
    assert supervisor.stdout is not None
    assert await asyncio.wait_for(supervisor.stdout.readline(), PATIENCE_S) == b"up\n"
    left = json.loads((tmp_path / "stack.json").read_text())["pids"]
    assert all(map(runs, left.values()))
    supervisor.kill()
    await supervisor.wait()

    async with Stack(tmp_path, StackOptions(service_command=command)) as again:
        assert not any(map(runs, left.values()))
        await again.wait_ready(20)
    assert json.loads((stack.data_dir / "stack.json").read_text())["pids"] == neighbours


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs Postgres as another account")
async def test_as_root_postgres_runs_under_another_account(stack: Stack) -> None:
    assert psutil.Process(stack.pid("postgres")).username() == "piperoll-postgres"
