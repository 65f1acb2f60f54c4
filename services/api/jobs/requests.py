"""What a client submits: a request body in, validated jobs out. Pure; refusals are ApiErrors of contract 2b."""

from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from piperoll.addresses import Network
from piperoll.job_types import is_enabled, job_types
from piperoll.settings import Settings
from schemas.documents import Resolved
from schemas.errors import ErrorCode
from schemas.job_types.declaration import JobType, Reference
from schemas.job_types.parameters import JobParameters
from schemas.job_types.registry import JobTypes
from services.api.http.bodies import Document, canonical_sha256
from services.api.http.errors import ApiError, invalid_field, invalid_request
from services.api.http.fields import check_names, invalid_values
from services.api.http.references import check_address, check_filename, check_source

LABEL_CHARS = 255
JOB_NAMES = frozenset({"job_type", "parameters", "user_id"})
BATCH_NAMES = frozenset({"batch_name", "jobs", "user_id", "webhook"})
TOKEN_MASK = "***"


@dataclass(frozen=True, slots=True)
class Rules:
    """What the settings allow a job to name."""

    roots: tuple[str, ...]
    stores: tuple[str, ...]
    private_networks: tuple[Network, ...]
    job_types: JobTypes
    max_batch_jobs: int

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """The rules of these settings. A root counts as it was written and as it resolves."""
        written = tuple(root for root in settings.files_roots.split(":") if root)
        return cls(
            roots=(*written, *map(str, settings.roots)),
            stores=tuple(filter(None, map(str.strip, settings.sync_stores.split(",")))),
            private_networks=settings.private_networks,
            job_types=JobTypes(one for one in job_types() if is_enabled(one, settings)),
            max_batch_jobs=settings.max_batch_jobs,
        )


@dataclass(frozen=True, slots=True)
class Submission:
    """One job that may be created: `given` is its parameters as they were sent, `parameters` what they mean.

    `resolved` is the document that it names, where that is known already; else it is looked up (Resolver).
    """

    job_type: str
    given: dict[str, Any]
    parameters: JobParameters
    user_id: str | None
    body_sha256: str
    retry_of: str | None = None
    resolved: Resolved | None = None

    def shown(self) -> dict[str, Any]:
        """The parameters as they are echoed: the webhook's token masked (contract 3)."""
        return masked(self.given)


@dataclass(frozen=True, slots=True)
class BatchSubmission:
    """Jobs that are created together or not at all."""

    name: str | None
    jobs: tuple[Submission, ...]
    user_id: str | None
    body_sha256: str


def masked(parameters: dict[str, Any]) -> dict[str, Any]:
    """Parameters without what only the notifier may know."""
    webhook = parameters.get("webhook")
    if not isinstance(webhook, dict) or webhook.get("token") is None:
        return parameters
    return {**parameters, "webhook": {**webhook, "token": TOKEN_MASK}}


def parse_job(document: Document, rules: Rules, user_id: str | None = None) -> Submission:
    """The job in a body of POST /api/jobs; `user_id` is the header's, which the body's goes before."""
    return _job(document.value, rules, user_id, {}, document.sha256)


def parse_batch(document: Document, rules: Rules, user_id: str | None = None) -> BatchSubmission:
    """The jobs in a body of POST /api/jobs/batch. Errors about a job carry its `details.index`."""
    body = document.value
    check_names(body, BATCH_NAMES)
    jobs = body.get("jobs")
    if not isinstance(jobs, list) or not jobs:
        raise invalid_request("jobs must be a list of at least one job")
    if len(jobs) > rules.max_batch_jobs:
        raise invalid_field("jobs", f"must not be more than {rules.max_batch_jobs:,}")
    inherited = {"webhook": body["webhook"]} if body.get("webhook") is not None else {}
    batch_user = _label(body, "user_id") or user_id
    return BatchSubmission(
        name=_label(body, "batch_name"),
        jobs=tuple(_member(job, index, rules, batch_user, inherited) for index, job in enumerate(jobs)),
        user_id=batch_user,
        body_sha256=document.sha256,
    )


def restarted(job_id: str, job_type: str, given: dict[str, Any], user_id: str | None, rules: Rules) -> Submission:
    """A job that does again what `job_id` did. Its parameters must still be allowed (contract 2b)."""
    return Submission(
        job_type=job_type,
        given=given,
        parameters=_validated(job_type, given, rules),
        user_id=user_id,
        body_sha256=canonical_sha256({"restart": job_id}),
        retry_of=job_id,
    )


def submitted(job_type: str, given: dict[str, Any], rules: Rules, user_id: str | None, sha256: str) -> Submission:
    """A job whose parameters were not sent as one JSON body; `sha256` is of all that was sent."""
    return Submission(job_type, given, _validated(job_type, given, rules), user_id, sha256)


def _member(job: Any, index: int, rules: Rules, user_id: str | None, inherited: dict[str, Any]) -> Submission:
    try:
        if not isinstance(job, dict):
            raise invalid_request("a job must be a JSON object")
        return _job(job, rules, user_id, inherited, canonical_sha256(job))
    except ApiError as error:
        error.details["index"] = index
        error.message = f"jobs[{index}]: {error.message}"
        raise


def _job(body: dict[str, Any], rules: Rules, user_id: str | None, inherited: dict[str, Any], sha256: str) -> Submission:
    check_names(body, JOB_NAMES)
    job_type, given = body.get("job_type"), body.get("parameters")
    if not isinstance(job_type, str) or not job_type:
        raise invalid_request("job_type is missing or no text", supported=rules.job_types.names)
    if not isinstance(given, dict):
        raise invalid_request("parameters is missing or no JSON object")
    given = {**inherited, **given}
    job_type = rules.job_types.own_name(job_type)
    return Submission(
        job_type=job_type,
        given=given,
        parameters=_validated(job_type, given, rules),
        user_id=_label(body, "user_id") or user_id,
        body_sha256=sha256,
    )


def _validated(job_type: str, given: dict[str, Any], rules: Rules) -> JobParameters:
    declared = rules.job_types.get(job_type)
    if declared is None:
        raise ApiError(
            400,
            ErrorCode.UNKNOWN_JOB_TYPE,
            f"the job_type {job_type[:100]!r} is not supported",
            {"supported": rules.job_types.names},
        )
    try:
        parameters = declared.parameters.model_validate(given)
    except ValidationError as error:
        supported = getattr(declared.parameters, "SUPPORTED", {})
        raise invalid_values(error, "parameters", supported) from error
    _check_references(declared, parameters, rules)
    return parameters


def _check_references(job_type: JobType, parameters: JobParameters, rules: Rules) -> None:
    """Files, addresses and stores that the job would read or call, those of the objects in a list included."""
    _check_named(job_type, parameters, "", rules)
    for name, value in parameters:
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    _check_named(job_type, item, f"{name}.{index}.", rules)
    if parameters.webhook is not None:
        check_address("webhook.url", parameters.webhook.url, rules.private_networks)


def _check_named(job_type: JobType, given: BaseModel, prefix: str, rules: Rules) -> None:
    """What the text parameters refer to; `prefix` says where in the parameters they stand."""
    for name, value in given:
        if not isinstance(value, str):
            continue
        match job_type.reference(name):
            case Reference.FILE:
                check_filename(value, rules.roots, f"{prefix}{name}")
            case Reference.ADDRESS:
                check_address(f"{prefix}{name}", value, rules.private_networks)
            case Reference.STORE:
                check_source(value, rules.roots, rules.stores)


def _label(body: dict[str, Any], name: str) -> str | None:
    """An optional short text. Raises ApiError INVALID_REQUEST."""
    value = body.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 1 <= len(value) <= LABEL_CHARS:
        raise invalid_request(f"{name} must be a text of 1 to {LABEL_CHARS} characters")
    return value
