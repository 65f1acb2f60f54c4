"""Old versions of events are lifted to the current one."""

from typing import ClassVar

import pytest

from schemas import upcasters
from schemas.envelope import UndecodableRecordError, decode
from schemas.events import EVENTS, Event, JobCreated
from tests.support.histories.jobs import claim
from tests.support.histories.records import APPENDED, tampered


class JobMoved(Event):
    """An event that stands at its third version, for this test alone."""

    version: ClassVar[int] = 3

    place: str


@pytest.fixture
def job_moved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(EVENTS, "JobMoved", JobMoved)
    monkeypatch.setitem(upcasters.UPCASTERS, ("JobMoved", 1), lambda body: {"where": body["to"]})
    monkeypatch.setitem(upcasters.UPCASTERS, ("JobMoved", 2), lambda body: {"place": body["where"]})


@pytest.mark.usefixtures("job_moved")
@pytest.mark.parametrize(
    ("version", "body"), [(1, b'{"to": "here"}'), (2, b'{"where": "here"}'), (3, b'{"place": "here"}')]
)
def test_old_versions_are_lifted_step_by_step(version: int, body: bytes) -> None:
    headers = tampered("ce_type", f"piperoll.JobMoved.v{version}".encode())
    assert decode(body, headers, APPENDED).data == JobMoved(place="here")


@pytest.mark.usefixtures("job_moved")
@pytest.mark.parametrize("body", [b"[]", b"3", b"{", b"null"])
def test_an_old_body_that_is_not_an_object_is_undecodable(body: bytes) -> None:
    with pytest.raises(UndecodableRecordError):
        decode(body, tampered("ce_type", b"piperoll.JobMoved.v1"), APPENDED)


@pytest.mark.usefixtures("job_moved")
def test_a_missing_upcaster_is_a_fault_of_the_release_and_not_of_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(upcasters.UPCASTERS, ("JobMoved", 2))
    with pytest.raises(KeyError):
        decode(b'{"to": "here"}', tampered("ce_type", b"piperoll.JobMoved.v1"), APPENDED)


def test_a_claim_has_the_location_of_content_and_never_the_content() -> None:
    """The log must hold no content: of an event's fields only short names and numbers stand beside the claims."""
    for name, event in EVENTS.items():
        for field, info in event.model_fields.items():
            shape = str(info.annotation).replace("dict[str, int]", "numbers by name")
            assert "dict" not in shape, f"{name}.{field} could hold content"
    assert set(type(claim("x")).model_fields) == {"uri", "sha256", "size", "media_type"}


def test_every_event_names_its_writers() -> None:
    for event in EVENTS.values():
        assert event.writers
        assert set(event.writers) <= {"api", "worker", "notifier"}
    assert JobCreated.type_name() == "piperoll.JobCreated.v1"
