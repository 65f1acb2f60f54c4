"""The `session` job type (docs/contract/secretary.md#session-parameters)."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.devana import Devana
from schemas.fields import Address, Title, WrittenName
from schemas.job_types.archives import ready_archive
from schemas.job_types.declaration import JobType, Reference, open_to_network
from schemas.job_types.parameters import JobParameters
from schemas.job_types.values import Day, Language, TemplateName, Time

MAX_SPEAKERS = 100
MAX_TRANSCRIPT_CHARS = 2_000_000  # two days of speech
HOOK_KEYS: Final = ("markdown_file", "markdown_content", "attachments", "video_transcript", "target_dir")

Line = Annotated[str, StringConstraints(max_length=4096)]
Lines = Annotated[list[Line], Field(max_length=MAX_SPEAKERS)]


class SessionParameters(JobParameters):
    """The `session` job: a talk's page, video and slides become one Markdown file and its archive.

    The template `{template}_{target_language}` takes precedence (docs/contract/secretary.md#session-parameters,
    #session-run).
    """

    SUPPORTED: ClassVar[dict[str, Any]] = {
        "required": ["event", "session", "url", "filename", "track"],
        "attachments": ["application/pdf"],
    }

    event: Title
    session: Title
    url: Address = Field(description="the talk's page")
    filename: WrittenName = Field(description="of the Markdown file; `.md` is added if missing")
    track: Title
    day: Day | None = None
    starttime: Time | None = None
    endtime: Time | None = None
    speakers: Lines = Field(default_factory=list)
    speakers_url: Lines = Field(default_factory=list)
    speakers_image_url: Lines = Field(default_factory=list)
    video_url: Address | None = None
    video_transcript: Annotated[str, StringConstraints(max_length=MAX_TRANSCRIPT_CHARS)] | None = Field(
        default=None, description="the transcription of the video, which is then not fetched"
    )
    attachments_url: Address | None = Field(default=None, description="a PDF, usually the slides")
    source_language: Language = "en"
    target_language: Language = "de"
    template: TemplateName = "Session"
    target: Line | None = Field(default=None, description="the audience of the text")
    create_archive: bool = True
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="after")
    def _file_has_a_name(self) -> Self:
        if not self.filename.removesuffix(".md").strip():
            raise ValueError("filename must have a name before its .md")
        return self


def _title(parameters: Mapping[str, Any]) -> str | None:
    parts = (parameters.get(name) for name in ("event", "track", "session"))
    return " - ".join(part for part in parts if isinstance(part, str) and part) or None


def _describe(parameters: Mapping[str, Any], resolved: Mapping[str, Any]) -> dict[str, Any]:
    return {"fileName": parameters.get("filename"), "source": parameters.get("url")}


def _completion(job_id: str, result: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    return "Session processing completed", {name: result[name] for name in HOOK_KEYS if name in result}


SESSION: Final = JobType(
    name="session",
    parameters=SessionParameters,
    processor="services.worker.processors.session.processor:process",
    reaches_network=open_to_network,
    steps={
        "fetching_page": "Fetching the page",
        "downloading_media": "Downloading the media",
        "processing_video": "Transcribing the video",
        "processing_attachments": "Reading the attachments",
        "generating_markdown": "Writing the Markdown",
    },
    references={"filename": Reference.NOTHING},  # the name of a file that the job writes
    devana=Devana("IMPORT", _describe, {"pageCount": "pages"}),
    title=_title,
    completion=_completion,
    archive=ready_archive,
)
