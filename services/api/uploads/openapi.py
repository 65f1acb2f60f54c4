"""The OpenAPI description of `/api/files` (contract 2e)."""

from services.api.openapi import examples
from services.api.openapi.examples import Json
from services.api.openapi.grammar import (
    BYTES,
    data,
    form_body,
    operation,
)

FILE: Json = {"type": "object", "required": ["file"], "properties": {"file": BYTES}}

UPLOAD_FILE = operation(
    "Upload a file", {200: data(examples.UPLOAD, "Stored")}, (400,), form_body(FILE, {"file": "(the file's bytes)"})
)
