"""Records that decode and that no reader can use, and those that every reader can."""

from dataclasses import replace
from typing import Any

import pytest

from piperoll.log.parking import decode
from piperoll.log.record import Record, partition_of
from piperoll.store.paths import refusal_of
from schemas.envelope import Fact
from schemas.events import MOST_MEMBERS, BatchCreated, Event, JobCancelled, JobErased, WebhookDelivered
from schemas.topics import JOB_DELIVERIES, JOB_EVENTS
from tests.support.histories.jobs import claim, created, fact, life, record


def why_not(data: Event, **envelope: Any) -> str:
    return decode(record(fact("job-a", data, **envelope), 0, 0)).why


@pytest.mark.parametrize(
    "uri", ["a//b", "/a", "a/", "..", "a/../b", "./a", "", "a\x00b", "a\nb", "x" * 256, "a/" * 600]
)
def test_a_claim_whose_uri_no_blob_can_have_is_unusable(uri: str) -> None:
    assert refusal_of(uri) is not None
    assert "cannot be opened, because of its uri" in why_not(created().model_copy(update={"parameters": claim(uri)}))
    assert "the claim parameters" in why_not(JobErased(by="acme", parameters=claim(uri)))


@pytest.mark.parametrize(
    "uri",
    [
        "parameters",
        "job-1/in/abc",
        "segments/2026-01-01/000000-" + "0" * 32 + "#10-20",
        "documents/d/ü ö#1",
        "a/b.c/d..e",
    ],
)
def test_a_claim_with_a_path_is_usable(uri: str) -> None:
    assert refusal_of(uri) is None
    assert why_not(created().model_copy(update={"parameters": claim(uri)})) == ""


def test_every_event_of_a_life_is_usable() -> None:
    assert [why_not(data) for data in life()] == [""] * 4


def test_a_text_with_nul_is_unusable_and_one_with_its_escape_is_not() -> None:
    assert "contains NUL" in why_not(JobCancelled(by="ac\x00me"))
    assert "contains NUL" in why_not(created().model_copy(update={"user_id": "\x00"}))
    assert why_not(JobCancelled(by="\\u0000")) == ""


def test_a_batch_of_more_members_than_a_transaction_can_announce_is_unusable() -> None:
    for count, usable in ((MOST_MEMBERS, True), (MOST_MEMBERS + 1, False), (10**15, False)):
        assert (why_not(BatchCreated(count=count, specs=claim("specs"), body_sha256="")) == "") is usable


def test_an_event_in_the_topic_of_others_is_unusable() -> None:
    delivered = WebhookDelivered(delivery_id="msg", phase="completed", attempt=1, status=200, duration_ms=1)
    assert "does not belong to the topic piperoll.jobs.events.v1" in why_not(delivered)
    assert decode(record(fact("job-a", delivered), 0, 0, JOB_DELIVERIES)).fact is not None
    assert decode(record(fact("job-a", created()), 0, 0, JOB_DELIVERIES)).fact is None


@pytest.mark.parametrize("owner", ["..", "a/../b", "a//b", "/etc"])
def test_an_owner_who_would_lead_out_of_the_folder_of_uploads_is_unusable(owner: str) -> None:
    assert "the owner" in why_not(created(), owner=owner)


def test_a_record_in_the_partition_of_another_key_is_parked_alone() -> None:
    home = partition_of("job-a", 6)
    for part in range(6):
        entry = decode(in_partition(fact("job-a", created()), part))
        assert (entry.fact is not None) is (part == home)
        assert entry.alone is (part != home)
    assert f"its key belongs to {home}" in decode(in_partition(fact("job-a", created()), home + 1)).why


def in_partition(one: Fact, part: int) -> Record:
    return replace(record(one, part, 0, JOB_EVENTS), partitions=6)
