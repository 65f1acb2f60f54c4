"""A processor that a hostile file took over tries to leave its run, through the real pool of children."""

import os
import socket

import psutil
import pytest

from piperoll.job_types import job_types
from schemas.errors import ErrorCode
from services.worker.children.protocol import Failed
from services.worker.confinement import landlock
from tests.support.children import assignment, children, until
from tests.support.hostile.den import OTHERS, SECRET, Den, den_pool, install

TYPES = ("hostile", "hostile_open")

pytestmark = pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")


@pytest.fixture(scope="module")
async def den(tmp_path_factory):
    folder = tmp_path_factory.mktemp("den")
    job_types()  # of this process, which are looked up once: without those of the plug-in
    with pytest.MonkeyPatch.context() as patch, socket.create_server(("127.0.0.1", 0)) as server:
        patch.syspath_prepend(str(install(folder / "plug-in")))
        patch.setenv("PIPEROLL_KEY_PEPPER", SECRET)
        patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
        patch.setenv("DATABASE_PASSWORD", SECRET)
        async with den_pool(folder, mistral_api_key=SECRET, mistral_url="http://127.0.0.1:1") as pool:
            yield Den(folder, pool, server)


@pytest.mark.parametrize("job_type", TYPES)
async def test_the_secrets_of_the_data_folder_cannot_be_read(den, job_type):
    assert await den.refusal("read", den.secrets, job_type) == "PermissionError"
    assert await den.refusal("names_in", den.folder, job_type) == "PermissionError"
    assert await den.refusal("read_through_a_link", den.secrets, job_type) == "PermissionError"
    assert await den.refusal("store_a_file_by_a_link", den.secrets, job_type) == "PermissionError"
    assert await den.refusal("read", "/etc/passwd", job_type) == "PermissionError"


@pytest.mark.parametrize("job_type", TYPES)
async def test_the_environment_of_the_worker_and_of_the_child_cannot_be_read(den, job_type):
    (child,) = children()
    for process in (os.getpid(), child):
        assert await den.refusal("read", f"/proc/{process}/environ", job_type) == "PermissionError"
        assert await den.refusal("read", f"/proc/{process}/mem", job_type) == "PermissionError"
        assert await den.refusal("names_in", f"/proc/{process}/fd", job_type) == "PermissionError"


async def test_no_process_of_a_child_starts_with_a_secret(den):
    for job_type in TYPES:
        found = await den.found("own_environment", job_type=job_type)
        assert SECRET not in str(found)
    for child in children().values():
        for process in (child, *child.children(recursive=True)):
            assert SECRET not in str(process.environ())


async def test_only_a_run_with_the_network_has_the_keys_of_providers(den):
    assert await den.found("keys") == {"got": [False, False]}
    assert await den.found("keys", job_type="hostile_open") == {"got": [True, True]}


@pytest.mark.parametrize("job_type", TYPES)
async def test_the_blob_of_another_job_cannot_be_reached(den, job_type):
    assert await den.refusal("read", den.blobs.local_path(OTHERS), job_type) == "PermissionError"
    for trial in ("get_blob", "link_blob", "delete_blob", "overwrite_blob"):
        assert await den.refusal(trial, OTHERS, job_type) == "PermissionError"
        assert await den.refusal(trial, f"uploads/owner/../../{OTHERS}", job_type) == "PermissionError"
    assert den.blobs.get(OTHERS) == SECRET.encode()


async def test_a_result_that_names_the_blob_of_another_job_is_refused(den):
    outcome = await den.run("forge_an_index", OTHERS)
    assert isinstance(outcome, Failed)
    assert not outcome.own_fault


async def test_an_own_blob_is_read_without_a_copy_and_cannot_be_changed(den):
    upload = "uploads/owner/file-1/a.txt"
    den.blobs.put_named(upload, b"content", "text/plain")
    assert await den.found("open_input", upload) == {"got": ["content", "PermissionError"]}
    assert den.blobs.get(upload) == b"content"


async def test_files_are_written_in_the_folder_of_the_run_alone(den):
    assert await den.found("write_in_the_scratch_folder") == {"got": "mine"}
    assert await den.found("read", den.folder / "roots/shared.txt") == {"got": "for all"}
    for path in (den.folder / "roots/shared.txt", den.folder / "new", "/tmp/new", den.secrets):
        assert await den.refusal("write", path) == "PermissionError"


async def test_a_run_that_fetches_nothing_opens_no_socket(den):
    for trial in ("connect", "send_datagram", "listen", "unix_socket"):
        assert await den.refusal(trial, den.port) == "PermissionError"


async def test_a_run_that_fetches_connects_and_accepts_nothing(den):
    assert await den.found("connect", den.port, "hostile_open") == {"got": "connected"}
    for trial in ("listen", "unix_socket"):
        assert await den.refusal(trial, den.port, "hostile_open") == "PermissionError"


@pytest.mark.parametrize("job_type", TYPES)
async def test_other_processes_cannot_be_reached(den, job_type):
    (child,) = children()
    for process in (os.getpid(), child):
        for trial in ("signal_process", "trace_process", "limit_process"):
            assert await den.refusal(trial, process, job_type) == "PermissionError"
    for trial in ("new_namespaces", "leave_the_process_group", "change_rights", "change_times"):
        assert await den.refusal(trial, job_type=job_type) == "PermissionError"
    assert await den.found("dumpable", job_type=job_type) == {"got": 0}


async def test_a_sandbox_of_a_worker_that_is_root_has_an_account_of_its_own(den):
    if os.geteuid() != 0:
        pytest.skip("the worker is not root")
    closed, opened = [(await den.found("account", job_type=job_type))["got"] for job_type in TYPES]
    assert closed[0] == closed[1] != 0
    assert closed[0] != opened[0]
    assert closed[2] == []


async def test_a_fork_bomb_ends_with_its_run(den):
    (child,) = children()
    given = assignment(den.folder, "hostile", timeout_s=3, trial="fork_bomb")
    outcome = await den.run("fork_bomb", given=given)
    assert isinstance(outcome, Failed)
    assert outcome.code is ErrorCode.PROCESSING_TIMEOUT
    await until(lambda: not in_group(child), "no process of the run is left")
    assert (await den.found("read", den.folder / "roots/shared.txt"))["got"] == "for all"


async def test_a_message_fills_the_memory_of_its_own_run_alone(den):
    outcome = await den.run("flood")
    assert isinstance(outcome, Failed)
    assert outcome.code is ErrorCode.OUT_OF_MEMORY
    assert (await den.found("read", den.folder / "roots/shared.txt"))["got"] == "for all"


async def test_the_number_of_processes_of_a_run_is_bounded(den):
    found = await den.found("fork_until_refused")
    assert found["got"] < 2000


def in_group(leader: int) -> list[int]:
    """The processes of a process group."""
    return [pid for pid in psutil.pids() if psutil.pid_exists(pid) and group_of(pid) == leader]


def group_of(pid: int) -> int:
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return 0
