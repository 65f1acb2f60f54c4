"""What the routes work with, put together by the composition root and found on the app."""

from collections.abc import Callable
from dataclasses import dataclass

from starlette.requests import Request

from piperoll.blobs import AsyncBlobs
from services.api.changes import ChangeFeed
from services.api.commands import Commands
from services.api.creation import Creator
from services.api.devana_listing import DevanaListing
from services.api.documents import DocumentCommands
from services.api.endpoints import Endpoints
from services.api.intake import Intake
from services.api.key_admin import KeyAdmin
from services.api.library import Library
from services.api.listing import Listing
from services.api.outputs import Outputs
from services.api.read_model import ReadModel
from services.api.reading import Reading
from services.api.redelivery import Redelivery
from services.api.searching import Search
from services.api.signing_keys import SigningKeys
from services.api.submissions import Rules
from services.api.trials import Trials


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of the API. `problems` is what keeps it from being ready, by name."""

    rules: Rules
    commands: Commands
    creator: Creator
    reading: Reading
    changes: ChangeFeed
    listing: Listing
    devana_listing: DevanaListing
    endpoints: Endpoints
    signing_keys: SigningKeys
    key_admin: KeyAdmin
    library: Library
    documents: DocumentCommands
    intake: Intake
    search: Search
    outputs: Outputs
    read_model: ReadModel
    redelivery: Redelivery
    trials: Trials
    blobs: AsyncBlobs
    problems: Callable[[], dict[str, str]]
    max_body_bytes: int
    max_upload_bytes: int
    document_wait_s: float


def parts_of(request: Request) -> Parts:
    """The parts of the app that a request came to."""
    parts = request.app.state.parts
    assert isinstance(parts, Parts)
    return parts
