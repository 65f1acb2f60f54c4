"""What is logged of the libraries' own words."""

import io
import logging

import pytest

from piperoll.settings import Settings
from piperoll.telemetry import configure_logging


def test_a_library_that_repeats_itself_is_heard_once(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    monkeypatch.setattr("sys.stderr", stream)
    try:
        configure_logging(Settings.from_environment({}), "test")
        for attempt in range(50):
            logging.getLogger("library").warning("the broker is away (attempt %s)", attempt)
        logging.getLogger("library").warning("something else")
    finally:
        root.handlers, root.level = before, level
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "attempt 0" in lines[0]
    assert "something else" in lines[1]
