"""`python -m services.notifier`: runs the notifier until it is told to stop."""

from piperoll.runtime import run
from services.notifier.app import main

run("notifier", main)
