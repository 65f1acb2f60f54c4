"""The OpenAPI description of `/api/limits` (docs/contract/additions.md#limits-of-an-owner)."""

from services.api.openapi.grammar import data, operation

_EXAMPLE = {
    "installation": {
        "open_jobs": {"limit": 100_000, "used": 212},
        "stored_bytes": {"limit": 100_000_000_000, "used": 1_048_576},
    },
    "process": {
        "requests_at_a_time": {"limit": 1000, "used": 1},
        "uploads": {"limit": 256, "used": 0},
        "streams": {"limit": 500, "used": 1},
        "long_polls": {"limit": 2000, "used": 0},
        "large_bodies": {"limit": 3, "used": 0},
        "requests_per_second": {"limit": 10_000},
        "requests_per_second_beside_others": {"limit": 250},
    },
    "request": {
        "json_bytes": {"limit": 10_485_760},
        "upload_bytes": {"limit": 150_000_000},
        "batch_jobs": {"limit": 10_000},
    },
}

GET_LIMITS = operation(
    "Get the limits of the owner",
    {200: data(_EXAMPLE, "Each quota and what is used of it; `used` is null while it cannot be counted")},
)
