"""What each reader of the log makes of a history: the shared folds, and the policies of the services' readers."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from pydantic import TypeAdapter
from pydantic_core import from_json, to_json, to_jsonable_python

from piperoll.domain import batch, document, endpoint, final_hook, folder, job
from piperoll.domain.backlog import Backlog
from piperoll.domain.final_hook import FinalHook
from piperoll.domain.removals import Removals
from piperoll.log.parking import Parking, decode
from piperoll.log.record import Record
from schemas.envelope import Fact
from schemas.events import (
    AUDIT_EVENTS,
    BATCH_EVENTS,
    DELIVERY_EVENTS,
    DOCUMENT_EVENTS,
    ENDPOINT_EVENTS,
    JOB_EVENTS,
    DocumentAdded,
    DocumentRemoved,
)
from services.notifier.hooks.fold import Tracked, follow
from services.notifier.hooks.webhook import JobWebhook
from services.notifier.notices.changes import Following, RegisteredEndpoint
from services.projector.documents import projection as documents
from services.projector.endpoints import writer as endpoints
from services.projector.jobs import projection as jobs
from services.projector.jobs.rows import of_batch, of_job
from tests.support.golden.histories import Json

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
WEBHOOK = JobWebhook("http://receiver.example", "http://receiver.example/hook", None, "1")


def folded(records: Iterable[Record]) -> Json:
    """The state of each subject by the shared folds, without fields that have their defaults."""
    states: dict[str, Any] = {}
    codecs: dict[str, TypeAdapter[Any]] = {}
    for fact in facts_of(records):
        if _is(fact, *AUDIT_EVENTS):
            continue  # nothing folds them
        evolve, codec = _fold_of(fact)
        name = f"{fact.subject}/final" if _is(fact, *DELIVERY_EVENTS) else fact.subject
        states[name] = evolve(states.get(name), fact)
        codecs[name] = codec
    return {name: from_json(codecs[name].dump_json(one, exclude_defaults=True)) for name, one in states.items()}


def projected(records: Iterable[Record]) -> Json:
    """The rows and numbered events that the projector's readers write; their JSON states are those of the folds."""
    found = list(facts_of(records))
    placed = [(fact, offset) for offset, fact in enumerate(found)]
    of_jobs = jobs.project(jobs.KnownJobs(), [one for one in placed if _is(one[0], *JOB_EVENTS, *BATCH_EVENTS)])
    of_documents = documents.project(documents.KnownDocuments(), [one for one in placed if _about_documents(one[0])])
    of_endpoints = endpoints.project({}, [one for one in placed if _is(one[0], *ENDPOINT_EVENTS)])
    known = documents.KnownDocuments()
    rows: dict[str, list[Any]] = {
        "jobs": [of_job(one, 0) for _, one in of_jobs.jobs.items()],
        "batches": [of_batch(one, 0, of_jobs.batch_offsets[name]) for name, one in of_jobs.batches.items()],
        "events": [{"job_id": one.job_id, "sequence": one.sequence, "type": one.type} for one in of_jobs.events],
        "documents": documents.of_documents(of_documents, known, {}, 0),
        "folders": documents.of_folders(of_documents, known, {}, 0),
        "moves": [{"folder": key[0], "document": key[1], **asdict(one)} for key, one in of_documents.moves.items()],
        "endpoints": [endpoints.of_endpoint(one, 0, None) for _, one in of_endpoints.items()],
    }
    return {table: [_row(one) for one in some] for table, some in rows.items() if some}


def notified(records: Iterable[Record]) -> Json:
    """The hooks that become due, the outcomes of final hooks, and the changes for an endpoint of each owner."""
    tracked: dict[str, Tracked | None] = {}
    finals: dict[str, FinalHook] = {}
    found = list(facts_of(records))
    following = Following([_endpoint(owner) for owner in {fact.owner for fact in found}], {}, LONG_AGO)
    for fact in found:
        if _is(fact, *JOB_EVENTS):
            tracked[fact.subject] = follow(tracked.get(fact.subject), fact, WEBHOOK, LONG_AGO)
            following.take(fact)
        elif _is(fact, *DELIVERY_EVENTS):
            finals[fact.subject] = final_hook.evolve(finals.get(fact.subject, FinalHook()), fact.data)
    hooks = {
        name: {"state": one.state, "due": one.due, "final_phase": one.final_phase, "progress": one.progress}
        for name, one in tracked.items()
        if one is not None
    }
    changes = {
        name: [[change.number, change.status] for change in some] for (name, _), some in following.notices.items()
    }
    return _plain({"hooks": hooks, "finals": finals, "changes": changes})


def worked(records: Iterable[Record]) -> Json:
    """The open work of the worker's backlog, and what its process manager of removal has due."""
    backlog, removals = Backlog(), Removals()
    names = set()
    for fact in facts_of(records):
        names.add(fact.subject)
        if _is(fact, *BATCH_EVENTS):
            backlog.fold_batch(fact)
        elif _is(fact, *JOB_EVENTS):
            backlog.fold_job(fact)
        elif _about_documents(fact):
            removals.fold(fact)
    return _plain(
        {
            "open": {name: one.status for name, one in backlog.jobs.items()},
            "batches": sorted(backlog.batches),
            "ended": sorted(name for name in names if name in backlog.ended),
            "erased": {name: one.parameters for name, one in backlog.erased.items()},
            "unchecked": sorted(backlog.unchecked),
            "removals": {name: one.removed for name, one in removals.due.items()},
        }
    )


READERS: dict[str, Callable[[Iterable[Record]], Json]] = {
    "fold": folded,
    "projector": projected,
    "notifier": notified,
    "worker": worked,
}


def facts_of(records: Iterable[Record]) -> Iterator[Fact]:
    """The facts as every reader gets them. A golden record that is parked is a failure."""
    parking = Parking()
    for fact, _ in parking.sift([decode(record) for record in records]):
        yield fact
    assert parking.letters == []


def _fold_of(fact: Fact) -> tuple[Callable[[Any, Fact], Any], TypeAdapter[Any]]:
    if _is(fact, *JOB_EVENTS):
        return job.evolve, job.CODEC
    if _is(fact, *BATCH_EVENTS):
        return batch.evolve, batch.CODEC
    if _is(fact, *DELIVERY_EVENTS):
        return lambda state, one: final_hook.evolve(state or FinalHook(), one.data), TypeAdapter(FinalHook)
    if _is(fact, DocumentAdded, DocumentRemoved):
        return document.evolve, document.CODEC
    return (endpoint.evolve, endpoint.CODEC) if _is(fact, *ENDPOINT_EVENTS) else (folder.evolve, folder.CODEC)


def _is(fact: Fact, *kinds: type) -> bool:
    return isinstance(fact.data, kinds)


def _about_documents(fact: Fact) -> bool:
    return _is(fact, *DOCUMENT_EVENTS)


def _endpoint(owner: str) -> RegisteredEndpoint:
    name = f"endpoint-of-{owner}"
    return RegisteredEndpoint(name, owner, WEBHOOK.origin, WEBHOOK.url, None, "", frozenset(), LONG_AGO)


def _row(row: Any) -> Json:
    """A row without its JSON state."""
    fields = row if isinstance(row, dict) else asdict(row)
    return {name: value for name, value in _plain(fields).items() if name != "state"}


def _plain(value: Any) -> Json:
    plain: Json = from_json(to_json(to_jsonable_python(value)))
    return plain
