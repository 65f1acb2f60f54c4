"""Reads the job events into the queue: rows and checkpoint in one transaction. Sends nothing, decides nothing."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import structlog

from piperoll.blobs import AsyncBlobs, BlobMissingError
from piperoll.clock import Clock
from piperoll.log.dead_letters import DeadLetters
from piperoll.log.record import Record
from schemas.envelope import Fact, UndecodableRecordError
from schemas.events import BATCH_EVENTS, JobCancelled, JobCreated, JobErased, JobProgress, JobStarted
from services.notifier.agenda import Agenda
from services.notifier.checkpoints import Checkpoints
from services.notifier.fold import Tracked, follow
from services.notifier.patience import until_done
from services.notifier.queue import SQL
from services.notifier.rows import load_jobs, save_jobs
from services.notifier.webhook import UnreadableWebhookError, Webhook, parse_webhook

log = structlog.get_logger()

GROUP = "piperoll.notifier"

CREATED = JobCreated.type_name().encode()
BATCH = frozenset(event.type_name().encode() for event in BATCH_EVENTS)
BEGINNINGS = frozenset(event.type_name().encode() for event in (JobCreated, JobCancelled, JobErased))
"""All that can begin a row. Any other known fact about a job without one is passed over undecoded."""
CONTINUATIONS = frozenset(event.type_name().encode() for event in JOB_EVENTS) - BEGINNINGS


class Intake:
    """The Reader (piperoll.log.contract) of the job events."""
