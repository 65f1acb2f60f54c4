"""Whatever happens to store, log, clocks and workers: what a job in the log needs stays, and orphans go in the end.

`PIPEROLL_SWEEP_SEEDS=2000` plays more histories.
"""

import logging
import os
from collections.abc import Iterator

import pytest
import structlog

from tests.support.simulation.shrinking import shrink
from tests.support.sweeps.history import draw_history, failure_of

FEW = "40"


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.configure(wrapper_class=before)


def test_no_history_loses_what_a_job_needs_and_orphans_go_in_the_end() -> None:
    for seed in range(int(os.environ.get("PIPEROLL_SWEEP_SEEDS", FEW))):
        history = draw_history(seed)
        if failure_of(history):
            short = shrink(history, lambda one: bool(failure_of(one)))
            pytest.fail(f"\n{short}\n\n{failure_of(short)}", pytrace=False)
