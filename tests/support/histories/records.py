"""Records of events, as they are and changed."""

from datetime import timedelta

from hypothesis import strategies as st

from schemas.envelope import Headers, encode
from schemas.events import JobCancelled
from tests.support.histories.jobs import BEGAN, fact

APPENDED = BEGAN + timedelta(seconds=3)

BODY = JobCancelled(by="acme")


def tampered(name: str, value: bytes | None) -> Headers:
    """The headers of a good record with one of them changed."""
    _, _, headers = encode(fact("job-a", BODY))
    return [(known, value if known == name else content) for known, content in headers]  # type: ignore[misc]


texts = st.text(st.characters(codec="utf-8"), max_size=40)
