"""`python -m services.api`: the API as a process."""

from piperoll.runtime import run
from services.api.app import main

if __name__ == "__main__":
    run("api", main)
