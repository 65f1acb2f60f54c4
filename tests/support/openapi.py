"""The limits and examples of the OpenAPI document as requests."""

import re
from copy import deepcopy
from functools import cache
from itertools import chain
from typing import Any

from services.api import assembly
from services.api.http.routing import Routes

UUID = "00000000-0000-4000-8000-000000000000"
IDS = {
    "job_id": f"job-{UUID}",
    "batch_id": f"batch-{UUID}",
    "document_id": f"doc-{UUID}",
    "folder_id": f"folder-{UUID}",
    "file_id": f"doc-{UUID}",
}
FILE = {"file": ("a.pdf", b"%PDF-1.7 content")}
Operation = dict[str, Any]


@cache
def operations() -> dict[tuple[str, str], Operation]:
    """The documented requests, by method and path."""
    rooms = [room for room in vars(assembly).values() if isinstance(room, type) and issubclass(room, Routes)]
    served = chain.from_iterable(room.served() for room in rooms)
    return {
        (one.method, re.sub(r"\{(\w+).*?\}", lambda found: IDS.get(found[1], "x"), one.path)): one.operation[
            "openapi_extra"
        ]
        for one in served
        if one.operation is not None and "openapi_extra" in one.operation
    }


def example(operation: Operation, place: str) -> dict[str, Any]:
    """The documented example of a body, without its file."""
    found: dict[str, Any] = deepcopy(operation["requestBody"]["content"][place]["example"])
    found.pop("file", None)
    return found
