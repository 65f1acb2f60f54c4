"""What `submit` is given: files, folders and addresses, each with its job type, judged before anything is sent."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from piperoll.cli.console import CommandError, CouldNotRunError
from piperoll.job_types import job_types
from schemas.formats import REFUSED
from schemas.job_types.declaration import JobType
from schemas.media import MEDIA_TYPES, media_type_of

PDF, PDF_TYPE = MEDIA_TYPES[".pdf"], "pdf"
UPLOADED = "upload://file/name"
"""Stands for the name of a file that is not uploaded yet, while the other parameters are judged."""
SHOWN_PROBLEMS = 10


class SourceError(CouldNotRunError):
    """Files and folders that cannot be submitted; nothing was sent."""


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """The options of `submit`: a job type, and parameters of jobs by name."""

    job_type: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    recursive: bool = False


@dataclass(frozen=True, slots=True)
class JobSource:
    """A job to create: the `name` it is shown by, its type and parameters, and the file to upload, if it is one."""

    name: str
    job_type: str
    parameters: Mapping[str, Any]
    path: Path | None = None

    def target(self) -> str:
        """Return the `target_id` by which a later call finds the job: a hash of content, type and parameters."""
        request = json.dumps([self.job_type, self.parameters], sort_keys=True).encode()
        digest = hashlib.sha256(request)
        if self.path is not None:
            with self.path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return f"submit-{digest.hexdigest()[:32]}"


def job_sources(given: Sequence[str], options: SourceOptions) -> list[JobSource]:
    """Return the jobs to create. Raises SourceError for files and folders that cannot be submitted, and CommandError
    for parameters that the job types do not take; each names all of them."""
    problems: list[str] = []
    found: dict[str, JobSource] = {}
    for one in given:
        if _is_address(one):
            found.setdefault(one, _address(one, options))
            continue
        for path, root in _files(Path(one), options.recursive, problems):
            name = path.relative_to(root).as_posix()
            source = JobSource(name, _type_of(path.name, options), dict(options.parameters), path)
            found.setdefault(str(path.absolute()), source)
    if problems:
        raise SourceError(_shortened(problems))
    if refused := [f"{one.name}: {why}" for one in found.values() if (why := _refusal(one))]:
        raise CommandError(_shortened(refused))
    return _named_apart(list(found.values()))


def _shortened(problems: Sequence[str]) -> str:
    left = len(problems) - SHOWN_PROBLEMS
    return "\n".join([*problems[:SHOWN_PROBLEMS], *([f"and {left:,} more"] if left > 0 else [])])


def _named_apart(sources: list[JobSource]) -> list[JobSource]:
    """Give files of different folders that share a name the names of their whole paths."""
    counts = Counter(one.name for one in sources)
    return [
        replace(one, name=one.path.absolute().as_posix().lstrip("/")) if one.path and counts[one.name] > 1 else one
        for one in sources
    ]


def _is_address(text: str) -> bool:
    return text.startswith(("http://", "https://"))


def _address(url: str, options: SourceOptions) -> JobSource:
    path = url.partition("?")[0].partition("#")[0]
    return JobSource(url, _type_of(path.rpartition("/")[2], options), {**options.parameters, "url": url})


def _files(path: Path, recursive: bool, problems: list[str]) -> Iterator[tuple[Path, Path]]:
    """Yield the files of an argument, each with the folder that its name is relative to."""
    if path.is_file():
        if path.suffix.lower() not in MEDIA_TYPES:
            problems.append(f"{path}: {_unread(path.suffix.lower())}")
        elif not path.stat().st_size:
            problems.append(f"{path}: the file is empty")
        else:
            yield path, path.parent
        return
    if not path.is_dir():
        problems.append(f"{path} is not a file: give a file, a folder or an http(s) address")
        return
    inside = path.rglob("*") if recursive else path.glob("*")
    files = [one for one in sorted(inside) if _is_taken(one.relative_to(path)) and one.is_file() and one.stat().st_size]
    if not files:
        advice = "" if recursive else "; --recursive looks into its folders too"
        problems.append(f"{path}: the folder has no files that jobs read{advice}")
    yield from ((one, path) for one in files)


def _unread(ending: str) -> str:
    """Return why no job reads files with this ending, and what to do about it."""
    for refused in REFUSED:
        if ending in refused.endings:
            return f"jobs do not read {refused.phrase}"
    return f"jobs read no files of this kind, only {', '.join(MEDIA_TYPES)}"


def _is_taken(path: Path) -> bool:
    """Whether a file of a folder is submitted: of a kind that jobs read, and not hidden."""
    return path.suffix.lower() in MEDIA_TYPES and not any(part.startswith(".") for part in path.parts)


def _type_of(name: str, options: SourceOptions) -> str:
    """Return the job type: the given one, for PDFs the type of that name, else the one that reads such files."""
    media_type = media_type_of(name)
    return options.job_type or (PDF_TYPE if media_type == PDF else job_types().reader_of(media_type).name)


def _refusal(source: JobSource) -> str:
    """Return why the API would refuse the parameters, as far as this release knows the job type."""
    declared = job_types().get(job_types().own_name(source.job_type))
    if declared is None:
        return ""  # of a plug-in of the server, perhaps
    body = {**source.parameters, **({"filename": UPLOADED} if source.path is not None else {})}
    try:
        declared.parameters.model_validate(body)
    except ValidationError as error:
        return "; ".join(_sentence(declared, one) for one in error.errors(include_url=False))
    return ""


def _sentence(declared: JobType, error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else ""
    if error["type"] == "extra_forbidden":
        return f"{name}: jobs of the type {declared.name} do not take it (INVALID_PARAMETERS)"
    message = str(error["msg"]).removeprefix("Value error, ")
    return f"{name}: {message} (INVALID_PARAMETERS)".removeprefix(": ")
