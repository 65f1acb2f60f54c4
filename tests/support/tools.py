"""What a test does that lacks something a bare machine does not have: it waits for it, visibly."""

import os

import pytest


def wait_for(what: str) -> None:
    """Skips the test, which is then listed at the end with what it waits for; with CI=true fails it instead."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"waits for {what}", pytrace=False)
    pytest.skip(f"waits for {what}")
