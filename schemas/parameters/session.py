"""What a `session` job takes (contract 4b)."""

from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, StringConstraints, model_validator

from schemas.parameters.base import JobParameters
from schemas.parameters.values import Address, Day, Language, Name, TemplateName, Time

MAX_SPEAKERS = 100
MAX_TRANSCRIPT_CHARS = 2_000_000  # two days of speech

Line = Annotated[str, StringConstraints(max_length=4096)]
Lines = Annotated[list[Line], Field(max_length=MAX_SPEAKERS)]


class SessionParameters(JobParameters):
    """The `session` job (contract 4b): a talk's page, video and slides become one Markdown file and its archive.

    The template is looked for as `{template}_{target_language}` first (contract 13).
    """

    SUPPORTED: ClassVar[dict[str, Any]] = {
        "required": ["event", "session", "url", "filename", "track"],
        "attachments": ["application/pdf"],
    }

    event: Name
    session: Name
    url: Address = Field(description="the talk's page")
    filename: Name = Field(description="of the Markdown file; `.md` is added if missing")
    track: Name
    day: Day | None = None
    starttime: Time | None = None
    endtime: Time | None = None
    speakers: Lines = Field(default_factory=list)
    speakers_url: Lines = Field(default_factory=list)
    speakers_image_url: Lines = Field(default_factory=list)
    video_url: Address | None = None
    video_transcript: Annotated[str, StringConstraints(max_length=MAX_TRANSCRIPT_CHARS)] | None = Field(
        default=None, description="the words of the video; then it is not fetched"
    )
    attachments_url: Address | None = Field(default=None, description="a PDF, usually the slides")
    source_language: Language = "en"
    target_language: Language = "de"
    template: TemplateName = "Session"
    target: Line | None = Field(default=None, description="whom the text is for")
    create_archive: bool = True
    use_cache: bool = True
    force_refresh: bool = False

    @model_validator(mode="after")
    def _file_has_a_name(self) -> Self:
        if not self.filename.removesuffix(".md").strip():
            raise ValueError("filename must have a name before its .md")
        return self
