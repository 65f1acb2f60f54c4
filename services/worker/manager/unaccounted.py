"""Reports open jobs that the process manager lost, with their histories: none, unless Piperoll has a fault."""

from collections.abc import Collection

import structlog
from aiokafka.errors import KafkaError

from piperoll.log.contract import LogView
from piperoll.log.trace import traces
from schemas.topics import JOB_EVENTS

log = structlog.get_logger()

AT_ONCE = 5  # histories in the log output of one report


async def report_unaccounted(jobs: Collection[str], reported: Collection[str], history: LogView) -> set[str]:
    """Log jobs that are not in `reported`; return those that are reported now. Each is logged once while it is lost."""
    known = set(jobs) & set(reported)
    new = sorted(set(jobs) - known)[:AT_ONCE]
    try:
        found = await traces(history, new, [JOB_EVENTS]) if new else {}
    except (KafkaError, TimeoutError) as error:
        log.warning("job_history_unreadable", error=repr(error))
        return known
    for job_id, lines in found.items():
        log.error("job_unaccounted", job_id=job_id, history=lines)
    return known | set(new)
