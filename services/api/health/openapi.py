"""What the OpenAPI document says about health."""

from services.api.openapi.examples import Json
from services.api.openapi.grammar import ERRORS, data, refusal

LIVE: Json = {
    "summary": "Whether the process lives",
    "responses": {200: data({"status": "ok"}, "It does")},
}
READY: Json = {
    "summary": "Whether requests can be served",
    "responses": {200: data({"status": "ok"}, "They can"), 503: refusal(*ERRORS[503])},
}
