"""The OpenAPI descriptions of health."""

from services.api.openapi.examples import Json
from services.api.openapi.grammar import ERRORS, data, refusal

LIVE: Json = {
    "summary": "Liveness",
    "responses": {200: data({"status": "ok"}, "Alive")},
}
READY: Json = {
    "summary": "Readiness",
    "responses": {200: data({"status": "ok"}, "Ready"), 503: refusal(*ERRORS[503])},
}
