"""Claimed hooks for tests of the notifier."""

from datetime import UTC, datetime

from hypothesis import strategies as st

from piperoll.domain.job import Job, Status
from piperoll.webhooks.attempts import Attempted, Ending
from services.notifier.hooks.order import ClaimedHook, FinalPhase, HookProgress

NOW = datetime(2026, 1, 1, tzinfo=UTC)

DELAYS = (0.0, 5.0, 300.0)

endings = st.sampled_from([ending for ending in Ending if ending is not Ending.ANSWERED])

attempts = st.one_of(
    st.builds(
        Attempted,
        st.just(Ending.ANSWERED),
        status=st.integers(100, 599),
        retry_after_s=st.none() | st.floats(0, 1e9),
    ),
    st.builds(Attempted, endings),
)


def claimed(
    *,
    progress: int | None = None,
    attempted: bool = False,
    muted: bool = False,
    final: FinalPhase | None = None,
    attempts: int = 0,
    request: str | None = None,
    attempts_before: int = 0,
) -> ClaimedHook:
    job = Job(job_id="job-1", owner="o", status=Status.PROCESSING, created_at=NOW, updated_at=NOW, job_type="pdf")
    return ClaimedHook(
        job_id="job-1",
        owner="o",
        origin="http://x:80",
        url="http://x/",
        token=None,
        client_id="job-1",
        job=job,
        progress=None if progress is None else HookProgress(progress, "extracting_text", 10),
        progress_attempted=attempted,
        progress_muted=muted,
        final_phase=final,
        final_at=None,
        attempts=attempts,
        leased_until=NOW,
        request=request,
        attempts_before=attempts_before,
    )
