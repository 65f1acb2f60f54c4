"""The job types of this repository, and look-ups among all known types.

A job type is added here by one line; `piperoll.job_types` adds those of installed plug-ins.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from schemas.job_types.declaration import JobType, Makes, undeclared
from schemas.job_types.embedding import EMBEDDING
from schemas.job_types.extraction import EXTRACTION
from schemas.job_types.generation import GENERATION
from schemas.job_types.imports import IMPORT
from schemas.job_types.inspection import INSPECTION
from schemas.job_types.noop import NOOP
from schemas.job_types.pdf import PDF
from schemas.job_types.session import SESSION
from schemas.job_types.sync import SYNC
from schemas.job_types.transcription import TRANSCRIPTION
from schemas.job_types.transformer import TRANSFORMER

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PROCESSOR: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


class JobTypes:
    """Job types by name. Raises ValueError for a declaration that conflicts with another."""

    def __init__(self, declarations: Iterable[JobType]) -> None:
        self._by_name: dict[str, JobType] = {}
        self._aliases: dict[str, str] = {}
        self._readers: dict[str, JobType] = {}
        for declaration in declarations:
            self._add(declaration)

    def __iter__(self) -> Iterator[JobType]:
        return iter(self._by_name.values())

    @property
    def names(self) -> list[str]:
        """The names of the types, sorted."""
        return sorted(self._by_name)

    @property
    def requestable(self) -> list[str]:
        """Every name by which a client may request a job type, aliases included."""
        return sorted([*(one.name for one in self if not one.internal), *self._aliases])

    def get(self, name: str) -> JobType | None:
        """The declaration of that name; None for a type of another release or of a plug-in that is not installed."""
        return self._by_name.get(name)

    def of(self, name: str) -> JobType:
        """The declaration of that name or alias; an empty one for an unknown type."""
        return self._by_name.get(self.own_name(name)) or undeclared(name)

    def own_name(self, requested: str) -> str:
        """The name of the type that a client requests by name or alias; an unknown name is returned unchanged."""
        return self._aliases.get(requested, requested)

    def that_make(self, what: Makes) -> tuple[str, ...]:
        """The names of the types whose results provide `what`."""
        return tuple(one.name for one in self if one.makes is what)

    def devana(self, type_name: str) -> tuple[str, ...]:
        """The names of the types that the Devana API shows as `type_name`, sorted; empty for an unknown name."""
        return tuple(sorted(one.name for one in self if one.devana is not None and one.devana.type == type_name))

    def reader_of(self, media_type: str) -> JobType:
        """The type that reads documents of that media type: the one with the longest matching prefix."""
        return self._readers[max((begin for begin in self._readers if media_type.startswith(begin)), key=len)]

    def _add(self, declaration: JobType) -> None:
        name = declaration.name
        if not _NAME.fullmatch(name):
            raise ValueError(f"the name {name!r} is not a lower-case letter followed by letters, digits and _")
        if not _PROCESSOR.fullmatch(declaration.processor):
            raise ValueError(
                f"the processor {declaration.processor!r} of {name} must have the form package.module:function"
            )
        for one in (name, *declaration.aliases):
            if one in self._by_name or one in self._aliases:
                raise ValueError(f"there is already a job type with the name {one!r}")
        for begin in declaration.reads:
            if begin in self._readers:
                raise ValueError(f"{self._readers[begin].name} already reads documents of the media type {begin!r}")
        self._by_name[name] = declaration
        self._aliases |= dict.fromkeys(declaration.aliases, name)
        self._readers |= dict.fromkeys(declaration.reads, declaration)


OWN: Final = JobTypes(
    (
        PDF,
        SESSION,
        TRANSFORMER,
        EXTRACTION,
        GENERATION,
        TRANSCRIPTION,
        EMBEDDING,
        SYNC,
        IMPORT,
        NOOP,
        INSPECTION,
    )
)
"""The job types of this release."""
