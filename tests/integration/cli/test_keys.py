"""`piperoll keys` against a running system."""

from pathlib import Path

from tests.support.clients.commands import piperoll
from tests.support.files.pdf import pdf
from tests.support.stacks.system import System


async def test_a_key_is_printed_alone_works_and_can_be_revoked(system: System, folder: Path, tmp_path: Path) -> None:
    made = await piperoll("keys", "create", "--owner", "cli-test", "--scopes", "jobs", folder=folder)
    key = made.out.strip()
    assert made.out == f"{key}\n"

    path = str(pdf(tmp_path / "a.pdf"))
    api = {"PIPEROLL_URL": system.stack.api_url, "PIPEROLL_API_KEY": key}
    used = await piperoll("submit", path, "--wait", folder=None, **api)
    assert used.code == 0, used.err

    revoked = await piperoll("keys", "revoke", key, folder=folder)
    listed = await piperoll("keys", "list", folder=folder)
    assert revoked.code == 0
    (row,) = [line for line in listed.out.splitlines() if "cli-test" in line]
    assert "revoked" in row
    assert key.partition(".")[2] not in listed.out


async def test_bad_keys_commands_name_what_is_valid(system: System, folder: Path) -> None:
    owner = await piperoll("keys", "create", "--owner", "../x", folder=folder)
    scope = await piperoll("keys", "create", "--owner", "x", "--scopes", "all", folder=folder)
    unknown = await piperoll("keys", "revoke", "unknown", folder=folder)

    assert [one.code for one in (owner, scope, unknown)] == [1, 1, 1]
    assert "A-Z" in owner.err
    assert "admin, jobs, read, submit" in scope.err
    assert "keys list" in unknown.err
