"""The query strings of downloads (docs/contract/additions.md#files)."""

from typing import Annotated

from pydantic import Field

from services.api.http.constraints import Refusal
from services.api.http.shapes import FLAGS, QueryModel


class RawAnswerQuery(QueryModel, extra="ignore"):
    """GET /api/pdf/jobs/{job_id}/mistral-ocr-raw."""

    include_images: Annotated[bool, Refusal(f"must be one of {', '.join(FLAGS)}", tuple(FLAGS))] = Field(
        default=False, description="With every image in base64"
    )
