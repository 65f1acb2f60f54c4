"""`python -m services.notifier`: runs the notifier until it is stopped."""

from piperoll.runtime import run
from services.notifier.app import main

run("notifier", main)
