"""The texts of a job by which it is found: ids, names and the beginning of its result. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from pydantic_core import from_json

from piperoll.domain.job import Job
from piperoll.domain.words import distinct_words
from piperoll.job_types import job_types

RESULT_BYTES = 32 * 1024  # of a result: the first pages, whatever the size of the document
PARAMETERS_BYTES = 256 * 1024
MOST_WORDS = 1000  # different words of a job: about 8 kB in Postgres

NAMES = ("filename", "source", "template")
"""Parameters that name what a job is about. Others may hold secrets."""


def words_of_job(job: Job, parameters: bytes | None, result: bytes | None) -> list[str]:
    """Return the words of a job from the first PARAMETERS_BYTES and RESULT_BYTES of its parameters and its result.

    None stands for content that does not exist or cannot be read; what is not the expected JSON has no words.
    """
    return distinct_words(_texts(job, parameters, result), MOST_WORDS)


def _texts(job: Job, parameters: bytes | None, result: bytes | None) -> Iterator[str]:
    yield from (one for one in (job.job_id, job.target_id, job.user_id, job.batch_id) if one)
    given = _object(_parsed(parameters).get("parameters"))
    yield job_types().of(job.job_type).title(given) or ""
    yield from (one for name in NAMES if isinstance(one := given.get(name), str))
    yield _address(given.get("url"))
    yield from _result_texts(_object(_parsed(result).get("structured_data")))


def _result_texts(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield the title and the texts; the rest of the metadata repeats them, and has words such as names of methods."""
    yield from _strings(_object(data.get("metadata")).get("title"))
    for name, value in data.items():
        if name != "metadata":
            yield from _strings(value)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for one in value:
            yield from _strings(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _strings(one)


def _address(url: Any) -> str:
    """Return host and path of an address: its user and its query may be secrets."""
    try:
        parts = urlsplit(url if isinstance(url, str) else "")
    except ValueError:
        return ""
    return f"{parts.hostname or ''} {parts.path}"


def _parsed(content: bytes | None) -> Mapping[str, Any]:
    """Return the object at the beginning of a JSON text, of which the end may be missing."""
    if content is None:
        return {}
    try:
        return _object(from_json(content.decode(errors="ignore"), allow_partial="trailing-strings"))
    except ValueError:
        return {}


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
