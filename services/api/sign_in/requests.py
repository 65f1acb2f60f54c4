"""Validates the request that signs in (docs/contract/additions.md#sessions). Pure."""

from typing import Self

from pydantic import Field, model_validator

from services.api.http.access import MAX_TOKEN_BYTES
from services.api.http.shapes import FieldsModel


class SessionBody(FieldsModel):
    """The body of POST /api/session: either of the two."""

    key: str | None = Field(default=None, min_length=1, max_length=MAX_TOKEN_BYTES, description="an API key")
    nonce: str | None = Field(
        default=None, min_length=1, max_length=MAX_TOKEN_BYTES, description="from a link; it is valid once"
    )

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.key is None) is (self.nonce is None):
            raise ValueError("must have either `key` or `nonce`")
        return self
