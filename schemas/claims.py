"""The claim check: how the log names content that lives in the blob store."""

from pydantic import BaseModel, ConfigDict, Field


class Claim(BaseModel):
    """Names one immutable blob. The log and the read model carry claims, never the content itself.

    `uri` is relative to the blob store's root, such as `job-…/in/<sha256>`; `size` is in bytes.
    """

    model_config = ConfigDict(frozen=True)

    uri: str
    sha256: str
    size: int = Field(ge=0)
    media_type: str = "application/json"
