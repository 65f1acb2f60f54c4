"""Workers that require a complete sandbox, and a plug-in that starts a thread, which Landlock would not reach."""

import pytest

from piperoll.job_types import job_types
from piperoll.settings import Settings
from services.worker.children import pool as children_pool
from services.worker.children.pool import ChildPool
from services.worker.children.protocol import Completed
from services.worker.confinement import landlock
from tests.support.children import assignment, children, ignore, running_pool

MODULE = """
import threading
from schemas.job_types.declaration import JobType
from schemas.job_types.parameters import JobParameters

threading.Thread(target=threading.Event().wait, daemon=True).start()

def process(parameters, workspace, report):
    raise NotImplementedError

TYPE = JobType(name="threaded", parameters=JobParameters, processor="threaded:process")
"""

pytestmark = pytest.mark.skipif(not landlock.version(), reason="the kernel has no Landlock")


@pytest.fixture
def threaded(tmp_path, monkeypatch):
    """The plug-in, for the children alone."""
    job_types()
    about = tmp_path / "plug-in" / "threaded-1.0.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: threaded\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[piperoll.job_types]\nthreaded = threaded:TYPE\n")
    (about.parent / "threaded.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(about.parent))


async def test_a_worker_that_requires_the_sandbox_does_not_run_without_it(tmp_path, monkeypatch):
    monkeypatch.setattr(children_pool, "missing", lambda measures: ["files: the kernel has no Landlock"])
    settings = Settings(blob_url=f"file://{tmp_path}/blobs", work_dir=str(tmp_path / "work"), sandbox="require")
    pool = ChildPool(settings, 1)
    await pool.start()
    try:
        problem = pool.problem()
        assert problem
        assert "PIPEROLL_SANDBOX" in problem
        assert "no Landlock" in problem
        assert children() == {}
    finally:
        await pool.stop()


@pytest.mark.usefixtures("threaded")
async def test_a_thread_of_an_import_is_not_in_the_sandbox(tmp_path):
    async with running_pool(tmp_path, sandbox="require") as pool:
        assert pool.problem() is None
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)


async def test_a_worker_that_requires_the_sandbox_runs_where_it_is_complete(tmp_path):
    async with running_pool(tmp_path, sandbox="require") as pool:
        assert pool.problem() is None
        assert isinstance(await pool.run(assignment(tmp_path), ignore), Completed)
