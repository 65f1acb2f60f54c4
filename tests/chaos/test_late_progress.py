"""When progress that follows the end in a job's webhooks breaks a promise."""

import json

import pytest

from tests.chaos.storm.verdict import has_late_progress
from tests.support.servers.receiver import Received


def hooks(phases: str) -> list[Received]:
    """The webhooks of a job in order of arrival: `p` is progress, `e` the end, `-` a webhook of another job."""
    names = {"p": "processing", "e": "completed"}
    return [
        Received(number, "/hook", {}, json.dumps({"phase": names[phase]}).encode())
        for number, phase in enumerate(phases, 1)
        if phase != "-"
    ]


@pytest.mark.parametrize(
    ("phases", "restores", "is_late"),
    [
        ("ppe", [], False),
        ("pep", [], True),
        ("pepe", [], True),
        ("pe-pe", [(2, 3)], False),
        ("pe-p", [(2, 3)], True),
        ("pep-e", [(3, 4)], True),
        ("-pepe", [(1, 1)], True),
    ],
    ids=[
        "before the end",
        "after the end",
        "before the end came again",
        "a restore took the end back",
        "the end did not come again",
        "before the restore",
        "the restore was before the end",
    ],
)
def test_progress_follows_the_end_only_where_a_restore_of_postgres_took_the_end_back(
    phases: str, restores: list[tuple[int, int]], is_late: bool
) -> None:
    assert has_late_progress(hooks(phases), restores) is is_late
