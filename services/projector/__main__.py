"""`python -m services.projector`: the projector as a process, configured by the environment."""

from piperoll.runtime import run
from services.projector.app import main

run("projector", main)
