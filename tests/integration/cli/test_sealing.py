"""`piperoll seal`: what older keys sealed opens with the new key alone afterwards."""

import base64
import json
from pathlib import Path
from uuid import uuid4

import asyncpg
import pytest

from piperoll import keys
from piperoll.cli.seal.rotation import rotate
from piperoll.embedded.private import load_secrets
from piperoll.postgres import migrate
from piperoll.seal import Seal, SealError
from piperoll.settings import Settings
from piperoll.webhooks import signing_keys
from tests.support.clients.commands import piperoll

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
BEFORE, BOTH, AFTER = Seal({"k1": OLD}), Seal({"k2": NEW, "k1": OLD}), Seal({"k2": NEW})
QUEUED = "INSERT INTO notifier.queue (job_id, partition, owner, token) VALUES ($1, 0, 'acme', $2)"
ENDPOINT = "INSERT INTO notifier.endpoints VALUES ($1, 'acme', 'on', 'o', 'u', $2, $3, '{}', now())"


@pytest.fixture
async def filled(pool: asyncpg.Pool) -> asyncpg.Pool:
    """Tables with texts that the old key sealed: more of one kind than are read at once."""
    await keys.prepare(pool)
    await migrate(pool, "services.notifier", "notifier.sql")
    await pool.execute("TRUNCATE access.signing_keys, notifier.queue, notifier.endpoints CASCADE")
    await signing_keys.active(pool, BEFORE, "acme")
    tokens = [(f"job-{number:04d}", BEFORE.seal(f"token {number}")) for number in range(1001)]
    await pool.executemany(QUEUED, [*tokens, ("job-without", None)])
    await pool.execute(ENDPOINT, "endpoint-1", BEFORE.seal("its token"), BEFORE.seal("its secret"))
    return pool


async def test_everything_that_an_older_key_sealed_opens_with_the_new_key_alone(filled: asyncpg.Pool) -> None:
    before = await signing_keys.active(filled, BOTH, "acme")
    async with filled.acquire() as connection:
        assert [one.sealed for one in await rotate(connection, BOTH)] == [1, 1, 1001, 1, 1]
        assert [one.sealed for one in await rotate(connection, BOTH)] == [0, 0, 0, 0, 0], "a repeat changes nothing"
    after = await signing_keys.active(filled, AFTER, "acme")
    assert [(key.secret, key.public_key) for key in after] == [(key.secret, key.public_key) for key in before]
    rows = await filled.fetch("SELECT token FROM notifier.queue WHERE token IS NOT NULL ORDER BY job_id")
    assert [AFTER.open(row["token"]) for row in rows] == [f"token {number}" for number in range(1001)]
    endpoint = await filled.fetchrow("SELECT token, secret FROM notifier.endpoints")
    assert endpoint is not None
    assert (AFTER.open(endpoint["token"]), AFTER.open(endpoint["secret"])) == ("its token", "its secret")
    with pytest.raises(SealError):
        BEFORE.open(endpoint["token"])


async def test_a_text_that_no_key_opens_is_counted_and_kept(filled: asyncpg.Pool) -> None:
    lost = Seal({"k0": bytes(32)}).seal("lost")
    await filled.execute("UPDATE notifier.endpoints SET token = $1", lost)
    async with filled.acquire() as connection:
        done = {one.what: (one.sealed, one.unreadable) for one in await rotate(connection, BOTH)}
    assert done["tokens of endpoints"] == (0, 1)
    assert done["secrets of endpoints"] == (1, 0)
    assert await filled.fetchval("SELECT token FROM notifier.endpoints") == lost


async def test_the_command_uses_the_settings(filled: asyncpg.Pool, settings: Settings) -> None:
    both = ",".join(f"{name}:{base64.b64encode(key).decode()}" for name, key in (("k2", NEW), ("k1", OLD)))
    dsn = settings.postgres_dsn.get_secret_value()
    done = await piperoll("seal", "rotate", folder=None, PIPEROLL_POSTGRES_DSN=dsn, PIPEROLL_SEAL_KEYS=both)
    assert done.code == 0, done.err
    assert "tokens of jobs' webhooks: 1001 sealed with k2" in done.out
    assert await signing_keys.active(filled, AFTER, "acme")


async def test_a_drawn_key_is_printed_or_put_in_front_of_those_of_a_folder(tmp_path: Path) -> None:
    printed = await piperoll("seal", "draw", folder=None)
    assert Settings(seal_keys=printed.out.strip()).sealing_keys
    before = load_secrets(tmp_path)
    added = await piperoll("seal", "draw", folder=tmp_path)
    assert added.code == 0, added.err
    after = load_secrets(tmp_path)
    assert after.seal_keys.endswith(f",{before.seal_keys}")
    assert after.seal_keys.partition(":")[2].partition(",")[0] not in added.out
    assert list(Settings(seal_keys=after.seal_keys).sealing_keys)[1] == "k1"
    path = tmp_path / "private" / "secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["postgres_password"] == before.postgres_password

    refused = await piperoll("seal", "draw", folder=tmp_path / uuid4().hex)
    assert (refused.code, "not a data folder" in refused.err) == (1, True)
