"""The names of dead letters in the commands."""

import pytest

from piperoll.cli.console import CommandError
from piperoll.cli.dead_letters.reading import find
from piperoll.log.record import Position
from piperoll.log.redriving import Waiting

LETTERS = [
    Waiting("piperoll.jobs.events.v1", Position(3, number), "job-1", "JobCreated", "why", "", stopped=False)
    for number in (12, 120)
]


@pytest.mark.parametrize("name", ["jobs/3:120", "jobs-3-120"])
def test_a_letter_has_the_name_of_the_list_and_the_id_of_the_api(name: str) -> None:
    assert find(LETTERS, name) is LETTERS[1]


@pytest.mark.parametrize("name", ["jobs/3:1", "jobs-3:120", "documents-3-120", ""])
def test_another_name_is_refused(name: str) -> None:
    with pytest.raises(CommandError, match="dead-letters list"):
        find(LETTERS, name)
