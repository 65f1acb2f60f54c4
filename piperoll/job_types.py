"""The job types of this installation: those of this release, and those of plug-ins.

A plug-in is an installed distribution with entry points in the group `piperoll.job_types`, each a
`schemas.job_types.declaration.JobType`. They are looked up once per process.
"""

from collections.abc import Iterable
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from piperoll.settings import Settings
from schemas.job_types.declaration import JobType
from schemas.job_types.registry import OWN, JobTypes

GROUP: Final = "piperoll.job_types"


class JobTypeError(RuntimeError):
    """A plug-in cannot be used. The message names its distribution and what to do."""


@cache
def job_types() -> JobTypes:
    """All job types that this process knows. Raises JobTypeError."""
    return with_plug_ins(OWN, entry_points(group=GROUP))


def with_plug_ins(own: Iterable[JobType], found: Iterable[EntryPoint]) -> JobTypes:
    """The job types `own` and those that entry points lead to, in the order of their names. Raises JobTypeError."""
    declarations = list(own)
    types = JobTypes(declarations)
    for entry in sorted(found, key=lambda entry: entry.name):
        declarations.append(_loaded(entry))
        try:
            types = JobTypes(declarations)
        except ValueError as error:
            raise _refused(entry, f"is not usable: {error}") from error
    return types


def cache_ttl_s(job_type: JobType, settings: Settings) -> float:
    """The maximum age in seconds of a cached result of this type."""
    ttl = job_type.cache_ttl
    return float(getattr(settings, ttl)) if isinstance(ttl, str) else ttl


def is_enabled(job_type: JobType, settings: Settings) -> bool:
    """Whether the settings allow jobs of this type."""
    return job_type.enabled_by is None or bool(getattr(settings, job_type.enabled_by))


def _loaded(entry: EntryPoint) -> JobType:
    try:
        loaded: Any = entry.load()
    except Exception as error:
        raise _refused(entry, f"does not import ({type(error).__name__}: {error})") from error
    if not isinstance(loaded, JobType):
        raise _refused(entry, f"is {type(loaded).__name__}, but must be a JobType")
    return loaded


def _refused(entry: EntryPoint, why: str) -> JobTypeError:
    distribution = f"the distribution {entry.dist.name}" if entry.dist is not None else "an unnamed distribution"
    return JobTypeError(
        f"The job type {entry.name!r} of {distribution} ({GROUP}: {entry.value}) {why}. "
        "Correct and reinstall the distribution, or uninstall it."
    )
