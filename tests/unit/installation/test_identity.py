"""Which stores belong together: the decisions, without a store."""

import pytest

from piperoll.installation.identity import Evidence, Installation, disagreement, objection, strangeness
from piperoll.log.identity import LogIdentity

LOG = LogIdentity("cluster", {"jobs": "1", "documents": "2"})
NEW = Evidence(records=False, blobs=False, jobs=False)
USED = Evidence(records=True, blobs=True, jobs=True, cluster_ids=frozenset({"cluster"}))


def test_an_installation_agrees_with_the_log_that_it_was_drawn_for() -> None:
    installation = Installation.draw(LOG)
    assert disagreement(installation, LOG) is None
    assert Installation.model_validate_json(installation.model_dump_json()) == installation
    assert installation.id != Installation.draw(LOG).id


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (LogIdentity("other", LOG.topics), "belongs to the Kafka cluster cluster, but other answers"),
        (LogIdentity("cluster", {"jobs": "9", "documents": "2"}), "jobs was deleted and created again"),
    ],
)
def test_another_log_is_refused_with_what_to_do(log: LogIdentity, why: str) -> None:
    found = disagreement(Installation.draw(LOG), log)
    assert found is not None
    assert why in found
    assert "`piperoll adopt`" in found


def test_a_topic_that_an_upgrade_adds_joins_and_counts_from_then_on() -> None:
    later = LogIdentity("cluster", {**LOG.topics, "endpoints": "3"})
    installation = Installation.draw(LOG)
    assert disagreement(installation, later) is None
    joined = installation.joined_by(later)
    assert joined.id == installation.id
    assert disagreement(joined, LogIdentity("cluster", {**LOG.topics, "endpoints": "4"})) is not None


@pytest.mark.parametrize(
    ("evidence", "why"),
    [
        (NEW, None),
        (USED, None),
        (Evidence(records=False, blobs=True, jobs=False), None),
        (Evidence(records=True, blobs=False, jobs=False), "mount its volume"),
        (Evidence(records=False, blobs=True, jobs=True), "although the log is empty"),
        (Evidence(True, True, True, frozenset({"cluster", "other"})), "checkpoints of the Kafka cluster other"),
    ],
    ids=["new", "of an earlier release", "uploads only", "not mounted", "of a lost log", "of another cluster"],
)
def test_a_store_without_a_marker_gets_one_only_if_it_is_new_or_of_this_log(
    evidence: Evidence, why: str | None
) -> None:
    found = objection(evidence, LOG)
    assert (found is None) if why is None else (found is not None and why in found and "`piperoll adopt`" in found)


def test_tables_of_another_installation_are_named() -> None:
    assert strangeness("ours", None, "read_v1") is None
    assert strangeness("ours", "ours", "read_v1") is None
    assert "the tables in read_v1 belong to the installation theirs" in str(strangeness("ours", "theirs", "read_v1"))
