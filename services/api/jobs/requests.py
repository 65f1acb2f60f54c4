"""What a client submits: a request body in, validated jobs out. Pure; refusals are ApiErrors of
docs/contract/secretary.md#validation."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, StringConstraints, ValidationError

from piperoll.addresses import Network
from piperoll.job_types import is_enabled, job_types
from piperoll.settings import Settings
from schemas.documents import Resolved
from schemas.errors import ErrorCode
from schemas.events import JobCancelled
from schemas.job_types.declaration import JobType, Reference
from schemas.job_types.parameters import JobParameters, Label
from schemas.job_types.registry import JobTypes
from services.api.http.bodies import JsonBody, canonical_sha256
from services.api.http.errors import ApiError
from services.api.http.references import check_address, check_filename, check_source
from services.api.http.shapes import (
    EnvelopeModel,
    Refusal,
    RequestModel,
    invalid_values,
    not_null,
    printable,
)

TOKEN_MASK = "***"

_REASON = not_null(JobCancelled.model_json_schema()["properties"]["reason"])


class JobBody(EnvelopeModel):
    """The body of POST /api/jobs/, and a job of a batch. The parameters are validated by the model of their type.

    The job types of the installation complete the description of both fields (`.openapi.add_job_types`).
    """

    job_type: Annotated[str, StringConstraints(min_length=1), Refusal("must be a non-empty string")]
    parameters: Annotated[dict[str, Any], Refusal("must be a JSON object")]
    user_id: Label | None = None


class CancelBody(RequestModel):
    """The body of POST /api/jobs/{job_id}/cancel."""

    reason: (
        Annotated[
            str,
            StringConstraints(min_length=1, max_length=_REASON["maxLength"]),
            AfterValidator(printable),
            Refusal("must be a text of {minLength} to {maxLength} characters"),
        ]
        | None
    ) = None


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
        """The parameters as they are echoed: the webhook's token masked (docs/contract/secretary.md#job)."""
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


def parse_job(sent: JsonBody, rules: Rules, user_id: str | None = None) -> Submission:
    """The job in a body of POST /api/jobs; `user_id` is the header's, which the body's goes before."""
    return job_of(sent.value, rules, user_id, {}, sent.sha256)


def restarted(job_id: str, job_type: str, given: dict[str, Any], user_id: str | None, rules: Rules) -> Submission:
    """A job that does again what `job_id` did. Its parameters must still be allowed.
    See docs/contract/secretary.md#validation."""
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


def job_of(
    given: dict[str, Any], rules: Rules, user_id: str | None, inherited: dict[str, Any], sha256: str
) -> Submission:
    """The job that is given; what its parameters lack is `inherited`. Raises ApiErrors of
    docs/contract/secretary.md#validation."""
    body = JobBody.read(given, {"job_type": rules.job_types.names})
    job_type, parameters = rules.job_types.own_name(body.job_type), {**inherited, **body.parameters}
    return Submission(
        job_type=job_type,
        given=parameters,
        parameters=_validated(job_type, parameters, rules),
        user_id=body.user_id or user_id,
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
    if parameters.webhook is not None:
        check_address("webhook.url", parameters.webhook.url, rules.private_networks)


def _check_named(job_type: JobType, given: BaseModel, prefix: str, rules: Rules) -> None:
    """What the text parameters refer to; `prefix` is their place in the parameters."""
    for name, value in vars(given).items():
        if isinstance(value, list):
            for index, item in enumerate(value):
                if isinstance(item, BaseModel):
                    _check_named(job_type, item, f"{prefix}{name}.{index}.", rules)
        if not isinstance(value, str):
            continue
        match job_type.reference(name):
            case Reference.FILE:
                check_filename(value, rules.roots, f"{prefix}{name}")
            case Reference.ADDRESS:
                check_address(f"{prefix}{name}", value, rules.private_networks)
            case Reference.STORE:
                check_source(value, rules.roots, rules.stores)
