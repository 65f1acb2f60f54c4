"""Structured logs and metrics: one JSON line per event, with the job's id if there is one."""

import logging
import sys

import structlog
from prometheus_client import Gauge

from piperoll.settings import Settings

REPEAT_S = 5.0  # aiokafka logs 50 lines a second while its broker is unavailable

INFO = Gauge("piperoll_service_info", "Which service this process is", ["service", "instance"])


def configure_logging(settings: Settings, service: str) -> None:
    """Write all logs, those of libraries included, to standard error in the configured format."""
    level = getattr(logging, settings.log_level.upper())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if settings.log_format == "console" else structlog.processors.JSONRenderer()
    )
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, instance=settings.instance)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[_strip, renderer]))
    handler.addFilter(_RepeatFilter())
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    INFO.labels(service, settings.instance).set(1)


class _RepeatFilter(logging.Filter):
    """Passes the same message of a library once per REPEAT_S, so that an outage does not fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is written. Messages are compared by their format string, without arguments."""
        message = (record.name, str(record.msg))
        if record.created - self._written.get(message, 0.0) < REPEAT_S:
            return False
        self._written[message] = record.created
        return True


def _strip(logger: logging.Logger, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Drop the fields that structlog's bridge adds to records of the standard library."""
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event
