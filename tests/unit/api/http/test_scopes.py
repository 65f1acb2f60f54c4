"""What a key may do by its scopes."""

import pytest

from piperoll.keys import SCOPES
from services.api.http.caller import Caller

MAY = {
    "read": {"read"},
    "submit": {"submit"},
    "jobs": {"jobs", "submit", "read"},
    "admin": {"jobs", "submit", "read", "admin"},
}


@pytest.mark.parametrize("scope", sorted(SCOPES))
def test_a_scope_covers_what_is_written_down_and_nothing_else(scope: str) -> None:
    caller = Caller("acme", "id", frozenset({scope}))
    assert {asked for asked in SCOPES if caller.may(asked)} == MAY[scope]


def test_read_and_submit_together_are_what_jobs_is_for_every_route() -> None:
    caller = Caller("acme", "id", frozenset({"read", "submit"}))
    assert [caller.may(asked) for asked in ("read", "submit", "admin")] == [True, True, False]
