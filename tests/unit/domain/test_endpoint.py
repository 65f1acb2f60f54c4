"""The fold of registered endpoints, and that it is total."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from piperoll.domain.endpoint import CODEC, Endpoint, evolve
from schemas.claims import Claim
from schemas.envelope import Fact
from schemas.events import EndpointRegistered, EndpointRemoved, EndpointTested, Event, JobCancelled

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
CLAIM = Claim(uri="endpoints/endpoint-1/abc", sha256="abc", size=1)
REGISTERED = EndpointRegistered(settings=CLAIM, statuses=("DONE",), user_id="user")
EVENTS: list[Event] = [
    REGISTERED,
    EndpointTested(by="owner"),
    EndpointRemoved(by="owner"),
    JobCancelled(by="owner"),
]


def fact(data: Event, seconds: int = 0, owner: str = "owner") -> Fact:
    time = BEGAN + timedelta(seconds=seconds)
    return Fact("id", "endpoint-1", owner, time, "api", data)


def folded(*facts: Fact) -> Endpoint | None:
    endpoint = None
    for one in facts:
        endpoint = evolve(endpoint, one)
    return endpoint


def test_a_registered_endpoint_has_the_values_of_its_registration() -> None:
    endpoint = folded(fact(REGISTERED), fact(EndpointTested(by="owner"), 5))
    assert endpoint is not None
    assert (endpoint.statuses, endpoint.user_id, endpoint.settings) == (("DONE",), "user", CLAIM)
    assert (endpoint.trials, endpoint.created_at, endpoint.updated_at) == (1, BEGAN, BEGAN + timedelta(seconds=5))


def test_a_removed_endpoint_stays_removed_and_names_no_secret() -> None:
    endpoint = folded(fact(REGISTERED), fact(EndpointRemoved(by="owner"), 1), fact(REGISTERED, 2))
    assert endpoint is not None
    assert (endpoint.removed, endpoint.settings, endpoint.updated_at) == (True, None, BEGAN + timedelta(seconds=1))


def test_a_removal_read_before_the_registration_wins_too() -> None:
    endpoint = folded(fact(EndpointRemoved(by="owner")), fact(REGISTERED, 1))
    assert endpoint is not None
    assert (endpoint.registered, endpoint.removed, endpoint.settings) == (True, True, None)


def test_facts_of_another_owner_and_of_nothing_do_not_count() -> None:
    endpoint = folded(fact(REGISTERED))
    assert evolve(endpoint, fact(EndpointRemoved(by="other"), owner="other")) is endpoint
    assert evolve(None, fact(EndpointTested(by="owner"))) is None


@given(st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 100), st.sampled_from(["owner", "other"]))))
def test_any_facts_in_any_order_fold_and_time_never_goes_back(given_facts: list[tuple[Event, int, str]]) -> None:
    endpoint: Endpoint | None = None
    for data, seconds, owner in given_facts:
        after = evolve(endpoint, fact(data, seconds, owner))
        if endpoint is not None:
            assert after is not None
            assert after.updated_at >= endpoint.updated_at
            assert after.removed >= endpoint.removed
            assert after.owner == endpoint.owner
        endpoint = after
    if endpoint is not None:
        assert CODEC.validate_json(CODEC.dump_json(endpoint)) == endpoint
