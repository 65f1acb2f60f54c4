"""`python -m services.worker`: the same as `piperoll worker`."""

from piperoll.runtime import run
from services.worker.app import main

run("worker", main)
