"""Builds the rooms of the API from its connections, in the order in which their routes are tried."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
from fastapi import FastAPI

from piperoll.clock import Clock, utc_now
from piperoll.embeddings import Remote
from piperoll.installation.guard import Guard
from piperoll.log.contract import LogView, LogWriter
from piperoll.log.topics.groups import read_groups
from piperoll.seal import Seal
from piperoll.settings import Settings
from piperoll.store.blobs import AsyncBlobs
from piperoll.webhooks.sender import Sender
from schemas.topics import AUDIT_EVENTS, DOCUMENT_EVENTS, ENDPOINT_EVENTS, JOB_DELIVERIES, JOB_EVENTS, Topic
from services.api.api_keys.commands import KeyAdmin
from services.api.api_keys.routes import ApiKeyRoutes
from services.api.audit.key_facts import KeyFacts
from services.api.audit.reading import AuditReader
from services.api.audit.recorder import AccessRecorder
from services.api.audit.routes import AuditRoutes
from services.api.batches.listing import BatchListing
from services.api.batches.routes import BatchRoutes
from services.api.chunks.routes import ChunkRoutes
from services.api.devana_jobs.listing import DevanaListing
from services.api.devana_jobs.routes import DevanaJobRoutes
from services.api.direct.routes import DirectRoutes
from services.api.documents.commands import DocumentCommands
from services.api.documents.jobs import DocumentJobs
from services.api.documents.routes import DocumentRoutes
from services.api.documents.upload import DocumentIntake
from services.api.endpoints.commands import REGISTRATIONS, REGISTRATIONS_S, EndpointCommands
from services.api.endpoints.routes import EndpointRoutes
from services.api.estimates.inspecting import Inspector
from services.api.estimates.routes import EstimateRoutes
from services.api.folders.routes import FolderRoutes
from services.api.folders.search import Search
from services.api.formats.routes import FormatRoutes
from services.api.health.routes import HealthRoutes
from services.api.http.access import Access
from services.api.http.admission import Traffic, TrafficLimits
from services.api.http.bodies import BodyLimits
from services.api.http.errors import ReadModelUnavailableError
from services.api.http.key_changes import KeyChanges
from services.api.http.rate_limit import RateLimit
from services.api.http.routing import Routes
from services.api.jobs.commands import Commands
from services.api.jobs.creation import Creator
from services.api.jobs.listing import JobListing
from services.api.jobs.named_documents import Resolver
from services.api.jobs.reading import Reading
from services.api.jobs.requests import Rules
from services.api.jobs.routes import JobCollectionRoutes, JobRoutes
from services.api.jobs.watch import JobWatch
from services.api.log.ends import LogEnds
from services.api.log.facts import FactLog
from services.api.openapi.routes import DocumentationRoutes
from services.api.outlook.observing import Observer
from services.api.outputs.files import Outputs
from services.api.outputs.routes import OutputRoutes
from services.api.owner_stream.changes import ChangeFeed
from services.api.owner_stream.routes import OwnerStreamRoutes
from services.api.page.files import page_files
from services.api.page.routes import PageRoutes
from services.api.pages.reading import JobPages
from services.api.pages.routes import JobPageRoutes
from services.api.quotas.quotas import Quotas
from services.api.quotas.routes import QuotaRoutes
from services.api.read_model.catching_up import CatchingUp
from services.api.read_model.contents import Contents
from services.api.read_model.documents import DocumentModel
from services.api.read_model.jobs import ReadModel
from services.api.read_model.library import Library
from services.api.read_model.positions import Positions
from services.api.redelivery.commands import Redelivery
from services.api.redelivery.routes import RedeliveryRoutes
from services.api.sign_in.commands import SignIn
from services.api.sign_in.routes import SignInRoutes
from services.api.signing_keys.commands import SigningKeyAdmin
from services.api.signing_keys.routes import SigningKeyRoutes
from services.api.system.letters import Letters
from services.api.system.overview import Overview
from services.api.system.routes import SystemRoutes
from services.api.system.tables import SystemTables
from services.api.templates.routes import TemplateRoutes
from services.api.trials.posting import A_MINUTE, Trials
from services.api.trials.routes import TrialRoutes
from services.api.uploads.routes import UploadRoutes
from services.api.web import build_app


@dataclass(frozen=True, slots=True)
class Connections:
    """The connections of the API, and the keys that seal tokens and secrets."""

    appender: LogWriter
    offsets: LogView
    pool: asyncpg.Pool
    positions: Positions
    blobs: AsyncBlobs
    sender: Sender
    seal: Seal
    guard: Guard
    clock: Clock = utc_now


class Assembly:
    """The rooms of one API process. `problems` returns the reasons why it is not ready, by name."""

    def __init__(self, settings: Settings, to: Connections, problems: Callable[[], dict[str, str]]) -> None:
        self._settings = settings
        self._to = to
        self._problems = problems
        deadline_s = settings.read_deadline_s
        self._rules = Rules.of(settings)
        self._traffic = Traffic(TrafficLimits.of(settings))
        self._contents = Contents(to.blobs)
        self._read_model = ReadModel(to.pool, deadline_s)
        self.watch = JobWatch(self._read_model, to.positions)
        observer = Observer(to.pool, to.clock, deadline_s)
        self._changes = ChangeFeed(self._read_model, to.positions, installation=self._installation, observer=observer)
        jobs, documents = self._catching_up(JOB_EVENTS), self._catching_up(DOCUMENT_EVENTS)
        self._reading = Reading(self._read_model, jobs, self.watch, self._contents, observer)
        self._library = Library(DocumentModel(to.pool, deadline_s), documents, jobs)
        self._resolver = Resolver(self._library)
        self._commands = Commands(self._facts(JOB_EVENTS), to.blobs, to.seal, self._resolver)
        ends = LogEnds(to.offsets, deadline_s)
        self._quotas = Quotas(settings, to.pool, to.blobs, self._traffic, jobs, documents)
        self._limits = BodyLimits(settings.max_body_bytes, settings.max_upload_bytes, self._quotas.require_room)
        self._creator = Creator(
            self._commands, self._read_model, self._reading, ends, settings.partitions, self._quotas
        )
        pepper, keys = settings.key_pepper.get_secret_value(), settings.bootstrap_keys.get_secret_value().split(",")
        self.access = Access(to.pool, pepper, keys, settings.key_cache_s, deadline_s)
        self.recorder = AccessRecorder(to.appender, to.clock)
        self.key_facts = KeyFacts(to.pool, to.appender)
        self.key_changes = KeyChanges(settings.postgres_dsn.get_secret_value(), self.access)

    def app(self) -> FastAPI:
        """Return the app. The busiest routes are tried first, and fixed paths before those with an id in the same place
        (docs/contract/decisions.md#a25)."""
        rooms = (*self._jobs(), *self._files(), *self._devana(), *self._administration())
        rate_limit = RateLimit(self._to.pool, self._settings.rate_limit, self._settings.read_deadline_s)
        return build_app(
            rooms, self.access, rate_limit, self._traffic, self._settings.max_batch_jobs, self.recorder.note
        )

    def release(self) -> None:
        """End all waiting, so that requests end before the service does."""
        self.watch.close()
        self._changes.close()

    def _jobs(self) -> list[Routes]:
        rules, commands, creator, reading = self._rules, self._commands, self._creator, self._reading
        body_bytes, to = self._limits.json_bytes, self._to
        facts, deliveries = self._facts(JOB_DELIVERIES), self._catching_up(JOB_DELIVERIES)
        deadline_s = self._settings.read_deadline_s
        redelivery = Redelivery(facts, self._read_model, to.pool, deliveries, to.clock, deadline_s)
        batches = BatchListing(self._read_model, reading, self._contents)
        jobs = JobListing(self._read_model, reading, self._contents)
        return [
            JobCollectionRoutes(rules, creator, jobs, body_bytes),
            EstimateRoutes(rules, self._resolver, Inspector(creator, reading, commands), reading.observer, body_bytes),
            BatchRoutes(rules, commands, creator, reading, batches, body_bytes),
            JobRoutes(rules, commands, creator, reading, self._read_model, body_bytes),
            JobPageRoutes(reading, JobPages(to.blobs, self._contents), Outputs(to.blobs)),
            RedeliveryRoutes(redelivery, reading, body_bytes),
            OwnerStreamRoutes(self._changes),
        ]

    def _files(self) -> list[Routes]:
        blobs = self._to.blobs
        return [
            OutputRoutes(self._reading, Outputs(blobs)),
            ChunkRoutes(self._reading, Outputs(blobs), self._limits.json_bytes),
            UploadRoutes(blobs, self._limits, self._quotas),
            DirectRoutes(self._rules, self._creator, self._reading, blobs, self._limits),
        ]

    def _devana(self) -> list[Routes]:
        rules, creator, reading, library = self._rules, self._creator, self._reading, self._library
        settings, to, limits = self._settings, self._to, self._limits
        documents = DocumentCommands(self._facts(DOCUMENT_EVENTS), to.blobs)
        jobs = DocumentJobs(rules, self._commands, creator, reading, library)
        intake = DocumentIntake(to.blobs, documents, creator, rules, limits.upload_bytes)
        facts, catching_up = self._facts(ENDPOINT_EVENTS), self._catching_up(ENDPOINT_EVENTS)
        often = RateLimit(to.pool, REGISTRATIONS, settings.read_deadline_s, REGISTRATIONS_S, "registrations")
        endpoints = EndpointCommands(facts, to.blobs, to.seal, to.pool, catching_up, often, settings.read_deadline_s)
        search = Search(library.model, Remote.of(settings))
        return [
            DevanaJobRoutes(DevanaListing(self._read_model, reading, self._contents)),
            DocumentRoutes(library, documents, intake, jobs, reading, limits, settings.document_wait_s),
            FolderRoutes(library, documents, jobs, reading, search, limits.json_bytes),
            EndpointRoutes(endpoints, settings.private_networks, limits.json_bytes),
        ]

    def _administration(self) -> list[Routes]:
        settings, pool, body_bytes = self._settings, self._to.pool, self._limits.json_bytes
        deadline_s = settings.read_deadline_s
        signing_keys = SigningKeyAdmin(pool, self._to.seal, settings.signing_overlap_s, deadline_s)
        trials = Trials(self._to.sender, signing_keys, RateLimit(pool, A_MINUTE, deadline_s), clock=self._to.clock)
        pepper = settings.key_pepper.get_secret_value()
        keys = KeyAdmin(pool, pepper, self.access, deadline_s)
        sign_in = SignIn(pool, pepper, self.access, self._traffic, settings.page_session_s, deadline_s)
        return [
            SigningKeyRoutes(signing_keys),
            TrialRoutes(trials, settings.private_networks, body_bytes),
            ApiKeyRoutes(keys, body_bytes),
            SignInRoutes(sign_in),
            AuditRoutes(AuditReader(self._to.offsets, self._to.clock)),
            QuotaRoutes(self._quotas),
            FormatRoutes(),
            TemplateRoutes(Path(settings.templates_dir) if settings.templates_dir else None),
            self._system(),
            HealthRoutes(self._problems),
            DocumentationRoutes(),
            PageRoutes(page_files()),
        ]

    def _system(self) -> SystemRoutes:
        settings, to = self._settings, self._to
        letters = Letters(to.offsets, to.appender, self._facts(AUDIT_EVENTS))
        tables = SystemTables(to.pool, settings.read_deadline_s)
        return SystemRoutes(
            Overview(tables, partial(read_groups, settings), to.offsets, letters, to.blobs, to.clock), letters
        )

    def _installation(self) -> str:
        if (known := self._to.guard.installation) is None:
            raise ReadModelUnavailableError("the stores of this installation were not compared yet")
        return known.id

    def _facts(self, topic: Topic) -> FactLog:
        return FactLog(self._to.appender, topic, self._to.clock, self._settings.append_deadline_s)

    def _catching_up(self, topic: Topic) -> CatchingUp:
        deadline_s = self._settings.read_deadline_s
        ends = LogEnds(self._to.offsets, deadline_s, topic)
        return CatchingUp(self._to.positions, ends, self._to.pool, deadline_s, topic)
