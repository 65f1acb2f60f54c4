"""How a job's final hook stands: settled, asked for again, settled again, whatever of the log is repeated or gone."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.final_hook import FinalHook, evolve
from schemas.events import Event, WebhookAbandoned, WebhookDelivered, WebhookFailed, WebhookRedeliveryRequested

FOUND = {"delivery_id": "msg_1", "phase": "completed"}
STATES = {"TOO_OLD": "held", "GONE": "abandoned", "delivered": "delivered"}


def asked(request: str) -> Event:
    return WebhookRedeliveryRequested(**FOUND, request=request, by="acme")


def outcome(kind: str, request: str | None = None, attempt: int = 1) -> Event:
    if kind == "delivered":
        return WebhookDelivered(**FOUND, attempt=attempt, status=200, duration_ms=1, request=request)
    return WebhookAbandoned(**FOUND, attempt=attempt, reason=kind, request=request)


def failed(request: str | None = None) -> Event:
    return WebhookFailed(**FOUND, attempt=1, reason="TIMEOUT", duration_ms=1, request=request)


def fold(*facts: Event) -> FinalHook:
    hook = FinalHook()
    for data in facts:
        hook = evolve(hook, data)
    return hook


@st.composite
def lives(draw: st.DrawFn) -> list[Event]:
    """One outcome after the other, each but the first one asked for; the last one perhaps still to come."""
    outcomes = draw(st.lists(st.sampled_from(sorted(STATES)), min_size=1, max_size=4))
    facts: list[Event] = []
    for number, kind in enumerate(outcomes):
        request = f"request-{number}" if number else None
        facts += [asked(request)] if request else []
        facts += [failed(request)] * draw(st.integers(0, 2))
        facts.append(outcome(kind, request))
    return facts if draw(st.booleans()) or len(outcomes) == 1 else facts[:-1]


@given(lives())
def test_a_hook_has_its_last_outcome_or_is_open_when_something_follows(facts: list[Event]) -> None:
    last = facts[-1]
    expected = "open"
    if isinstance(last, WebhookDelivered):
        expected = "delivered"
    elif isinstance(last, WebhookAbandoned):
        expected = STATES[last.reason]
    assert fold(*facts).state == expected


@given(lives(), st.data())
def test_an_outcome_that_is_appended_again_later_changes_nothing(facts: list[Event], data: st.DataObject) -> None:
    outcomes = [place for place, one in enumerate(facts) if isinstance(one, WebhookDelivered | WebhookAbandoned)]
    place = data.draw(st.sampled_from(outcomes))
    again = data.draw(st.integers(place + 1, len(facts)))
    assert fold(*facts[:again], facts[place], *facts[again:]) == fold(*facts)


@given(lives(), st.data())
def test_a_log_that_lost_its_beginning_gives_the_same_state(facts: list[Event], data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, len(facts) - 1))
    rest = facts[begin:]
    if not all(isinstance(one, WebhookFailed) for one in rest):
        assert fold(*rest) == fold(*facts)


@given(lives())
def test_every_step_is_one_between_open_and_settled(facts: list[Event]) -> None:
    steps = [fold(*facts[:count]) for count in range(len(facts) + 1)]
    for before, after in pairwise(steps):
        assert before == after or (before.state == "open") != (after.state == "open")


def test_a_request_that_is_read_twice_counts_once() -> None:
    delivered = fold(outcome("GONE"), asked("a"), outcome("delivered", "a"))
    assert evolve(delivered, asked("a")) is delivered


def test_a_request_while_another_one_is_open_changes_nothing() -> None:
    hook = fold(outcome("GONE"), asked("a"))
    assert evolve(hook, asked("b")) is hook
    assert evolve(hook, outcome("delivered", "a")) == FinalHook("delivered", "a")


def test_a_request_whose_hook_has_no_outcome_in_the_log_any_more_counts() -> None:
    assert fold(asked("a")) == FinalHook("open", "a")


@pytest.mark.parametrize("phase", ["processing", "status"])
def test_facts_of_other_hooks_do_not_count(phase: str) -> None:
    endpoint = "endpoint-1" if phase == "status" else None
    hook = FinalHook()
    for found in (
        WebhookDelivered(delivery_id="m", phase=phase, attempt=1, status=200, duration_ms=1, endpoint_id=endpoint),
        WebhookAbandoned(delivery_id="m", phase=phase, attempt=1, reason="GONE", endpoint_id=endpoint),
    ):
        assert evolve(hook, found) is hook
