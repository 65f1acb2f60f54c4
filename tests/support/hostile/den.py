"""A pool whose children know the job types of `tests.support.hostile.processor`, over a store with others' secrets."""

import json
import shutil
import socket
from pathlib import Path

from piperoll.store.blobs import Blobs
from services.worker.children.protocol import Completed
from tests.support.children import assignment, ignore, running_pool

PROCESSOR = Path(__file__).with_name("processor.py")
ENTRIES = "[piperoll.job_types]\nhostile = hostile:CLOSED\nhostile_open = hostile:OPEN\n"
SECRET = "a canary that nobody may see"
OTHERS = "other-job/run-1/text.txt"


def install(folder: Path) -> Path:
    """Install the plug-in; return the folder for PYTHONPATH."""
    about = folder / "hostile-1.0.dist-info"
    about.mkdir(parents=True)
    shutil.copyfile(PROCESSOR, folder / "hostile.py")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: hostile\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(ENTRIES)
    return folder


class Den:
    """A running pool, a data folder with secrets, another owner's blob, and a server on this machine."""

    def __init__(self, folder: Path, pool, server: socket.socket) -> None:
        self.folder = folder
        self.pool = pool
        self.port = str(server.getsockname()[1])
        self.secrets = folder / "private" / "secrets.json"
        self.secrets.parent.mkdir(mode=0o755)
        self.secrets.write_text(SECRET)
        self.blobs = Blobs(f"file://{folder}/blobs")
        self.blobs.put_named(OTHERS, SECRET.encode(), "text/plain")

    async def run(self, trial: str, target="", job_type="hostile", given=None):
        """The outcome of a run that makes this trial."""
        made = given or assignment(self.folder, job_type, trial=trial, target=str(target))
        return await self.pool.run(made, ignore)

    async def found(self, trial: str, target="", job_type="hostile", given=None):
        """What a run that makes this trial reports: {"got": …} or {"refused": …}."""
        outcome = await self.run(trial, target, job_type, given)
        assert isinstance(outcome, Completed), outcome
        return json.loads(self.blobs.get(outcome.result.uri))["structured_data"]

    async def refusal(self, trial: str, target="", job_type="hostile"):
        """The name of the error that the trial met."""
        found = await self.found(trial, target, job_type)
        assert "refused" in found, found
        return found["refused"]


def den_pool(folder: Path, **changed):
    """A pool that may read an empty folder alone."""
    (folder / "roots").mkdir()
    (folder / "roots" / "shared.txt").write_text("for all")
    return running_pool(folder, files_roots=str(folder / "roots"), **changed)
