"""The client of Piperoll's HTTP API, of its webhooks and of its facts in Kafka. Imports nothing else of Piperoll.

with Client("http://127.0.0.1:5001", key) as client:
    file = client.upload("report.pdf")
    job = client.jobs.create("pdf", filename=file.filename)
    print(client.jobs.wait(job.job_id, raise_on_failure=True).text)
"""

from piperoll.client.blocking import Client
from piperoll.client.concurrent import AsyncClient
from piperoll.client.errors import (
    AuthenticationError,
    ConflictError,
    ForbiddenError,
    InvalidRequestError,
    JobFailedError,
    MissingHeaderError,
    NotFoundError,
    NotReadyError,
    PiperollError,
    QuotaError,
    RateLimitError,
    RefusedError,
    ServerError,
    SignatureError,
    StaleWebhookError,
    UnexpectedAnswerError,
    UnreachableError,
    WaitTimeoutError,
    WrongSignatureError,
)
from piperoll.client.facts.decoding import FollowedFact
from piperoll.client.facts.following import FactFollower, SkippedFact, follow
from piperoll.client.policy import RetryPolicy
from piperoll.client.views.jobs import BatchView, EstimateView, EtaView, JobView
from piperoll.client.webhooks import verify_webhook

__all__ = [
    "AsyncClient",
    "AuthenticationError",
    "BatchView",
    "Client",
    "ConflictError",
    "EstimateView",
    "EtaView",
    "FactFollower",
    "FollowedFact",
    "ForbiddenError",
    "InvalidRequestError",
    "JobFailedError",
    "JobView",
    "MissingHeaderError",
    "NotFoundError",
    "NotReadyError",
    "PiperollError",
    "QuotaError",
    "RateLimitError",
    "RefusedError",
    "RetryPolicy",
    "ServerError",
    "SignatureError",
    "SkippedFact",
    "StaleWebhookError",
    "UnexpectedAnswerError",
    "UnreachableError",
    "WaitTimeoutError",
    "WrongSignatureError",
    "follow",
    "verify_webhook",
]
