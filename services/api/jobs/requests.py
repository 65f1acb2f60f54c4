"""Validates submitted jobs (docs/contract/secretary.md#validation). Pure: a request body in, submissions out."""

from dataclasses import dataclass, replace
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, StringConstraints, ValidationError

from piperoll.addresses import SOURCE_NETWORKS, WEBHOOK_NETWORKS, Network
from piperoll.job_types import is_enabled, job_types
from piperoll.settings import Settings
from schemas.documents import Resolved
from schemas.errors import ErrorCode
from schemas.events import JobCancelled
from schemas.fields import Label, has_controls
from schemas.job_types.declaration import JobType, Reference
from schemas.job_types.parameters import JobParameters
from schemas.job_types.registry import JobTypes
from services.api.http.bodies import JsonBody, canonical_sha256
from services.api.http.constraints import Refusal, printable
from services.api.http.errors import ApiError
from services.api.http.references import check_source, checked_address, checked_filename, require_public
from services.api.http.shapes import EnvelopeModel, RequestModel, invalid_values, not_null

TOKEN_MASK = "***"

_REASON = not_null(JobCancelled.model_json_schema()["properties"]["reason"])


class JobBody(EnvelopeModel):
    """The body of POST /api/jobs/, and a job of a batch. The model of the job type validates the parameters.

    `.openapi.add_job_types` adds the job types of the installation to the description.
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
    """The limits of jobs that the settings set: folders, stores, networks of webhooks and of addresses that jobs fetch,
    job types, jobs per batch."""

    roots: tuple[str, ...]
    stores: tuple[str, ...]
    private_networks: tuple[Network, ...]
    private_sources: tuple[Network, ...]
    job_types: JobTypes
    max_batch_jobs: int

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """Return the rules of these settings. A root is allowed as written and as resolved."""
        as_written = tuple(root for root in settings.files_roots.split(":") if root)
        return cls(
            roots=(*as_written, *map(str, settings.roots)),
            stores=tuple(filter(None, map(str.strip, settings.sync_stores.split(",")))),
            private_networks=settings.private_networks,
            private_sources=settings.private_sources,
            job_types=JobTypes(one for one in job_types() if is_enabled(one, settings) and not one.internal),
            max_batch_jobs=settings.max_batch_jobs,
        )


@dataclass(frozen=True, slots=True)
class Submission:
    """A validated job. `sent` are its parameters as they were sent, but for files, addresses and titles, which have the
    form that was judged; `parameters` are the same as a model.

    `resolved` is the document that it names, if it is known already; else the Resolver looks it up.
    """

    job_type: str
    sent: dict[str, Any]
    parameters: JobParameters
    user_id: str | None
    body_sha256: str
    retry_of: str | None = None
    resolved: Resolved | None = None


@dataclass(frozen=True, slots=True)
class BatchSubmission:
    """Validated jobs that are created together or not at all."""

    name: str | None
    jobs: tuple[Submission, ...]
    user_id: str | None
    body_sha256: str


def masked(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return parameters with the webhook's token masked (docs/contract/secretary.md#job)."""
    webhook = parameters.get("webhook")
    if not isinstance(webhook, dict) or webhook.get("token") is None:
        return parameters
    return {**parameters, "webhook": {**webhook, "token": TOKEN_MASK}}


def parse_job(sent: JsonBody, rules: Rules, user_id: str | None = None) -> Submission:
    """Validate a body of POST /api/jobs; its user id overrides `user_id`, the header's."""
    return job_of(sent.value, rules, user_id, {}, sent.sha256)


def restarted(job_id: str, job_type: str, sent: dict[str, Any], user_id: str | None, rules: Rules) -> Submission:
    """Return a job that repeats `job_id`. Its parameters must be valid (docs/contract/secretary.md#validation)."""
    sha256 = canonical_sha256({"restart": job_id})
    return replace(submitted(job_type, sent, rules, user_id, sha256), retry_of=job_id)


def submitted(job_type: str, sent: dict[str, Any], rules: Rules, user_id: str | None, sha256: str) -> Submission:
    """Validate a job's parameters; `sha256` is the hash of the whole request."""
    parameters, judged = _validated(job_type, sent, rules)
    return Submission(job_type, judged, parameters, user_id, sha256)


def job_of(
    value: dict[str, Any], rules: Rules, user_id: str | None, inherited: dict[str, Any], sha256: str
) -> Submission:
    """Validate a job of a body; parameters that it lacks are `inherited`. Raises ApiErrors of
    docs/contract/secretary.md#validation."""
    body = JobBody.read(value, {"job_type": rules.job_types.names})
    job_type, parameters = rules.job_types.own_name(body.job_type), {**inherited, **body.parameters}
    return submitted(job_type, parameters, rules, body.user_id or user_id, sha256)


def _validated(job_type: str, sent: dict[str, Any], rules: Rules) -> tuple[JobParameters, dict[str, Any]]:
    """Return parameters as a model, and as they are stored."""
    declared = rules.job_types.get(job_type)
    if declared is None:
        raise ApiError(
            400,
            ErrorCode.UNKNOWN_JOB_TYPE,
            f"the job_type {job_type[:100]!r} is not supported",
            {"supported": rules.job_types.names},
        )
    try:
        parameters = declared.parameters.model_validate(sent)
    except ValidationError as error:
        supported = getattr(declared.parameters, "SUPPORTED", {})
        raise invalid_values(error, declared.parameters, "parameters", supported) from error
    judged = _judged(declared, parameters, sent, "", rules)
    if parameters.webhook is not None:
        url = parameters.webhook.url  # normalised by its model
        require_public("webhook.url", url, rules.private_networks, WEBHOOK_NETWORKS)
        judged = _replaced(judged, "webhook", _replaced(judged["webhook"], "url", url))
    return parameters, judged


def _judged(job_type: JobType, fields: BaseModel, sent: dict[str, Any], prefix: str, rules: Rules) -> dict[str, Any]:
    """Check the files, addresses and stores in text fields, also those in lists of objects, and return the values with
    these texts, and those of which the model removed control characters, in the form that was judged. `prefix` is the
    path of the fields in the parameters."""
    for name, value in vars(fields).items():
        given = sent.get(name)
        if isinstance(value, list) and any(isinstance(item, BaseModel) for item in value):
            items = [
                _judged(job_type, item, raw, f"{prefix}{name}.{index}.", rules)
                for index, (item, raw) in enumerate(zip(value, given or (), strict=True))
            ]
            sent = _replaced(sent, name, items)
        elif isinstance(value, str):
            text = _reference(job_type.reference(name), value, f"{prefix}{name}", rules)
            if text is None and isinstance(given, str) and value != given and has_controls(given):
                text = value
            sent = sent if given is None or text is None else _replaced(sent, name, text)
    return sent


def _reference(kind: Reference, value: str, field: str, rules: Rules) -> str | None:
    """Check a file, address or store and return it in the form that was judged; None for any other text."""
    match kind:
        case Reference.FILE:
            return checked_filename(value, rules.roots, field)
        case Reference.ADDRESS:
            return checked_address(field, value, rules.private_sources, SOURCE_NETWORKS)
        case Reference.STORE:
            check_source(value, rules.roots, rules.stores)
    return None


def _replaced(values: dict[str, Any], name: str, value: Any) -> dict[str, Any]:
    """Return the values with another one of this name: the same object if it is equal."""
    return values if values[name] == value else {**values, name: value}
