"""The claim check: how the log refers to content in the blob store."""

from pydantic import BaseModel, ConfigDict, Field


class Claim(BaseModel):
    """A reference to one immutable blob of `size` bytes. `uri` is a path in the store, such as `job-…/in/<sha256>`."""

    model_config = ConfigDict(frozen=True)

    uri: str
    sha256: str
    size: int = Field(ge=0)
    media_type: str = "application/json"
