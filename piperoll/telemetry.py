"""Structured logs and metrics: one JSON line an event, with the job's id wherever there is one."""

import logging
import sys

import structlog
from prometheus_client import Gauge

from piperoll.settings import Settings

REPEAT_S = 5.0  # aiokafka says 50 lines a second while its broker is away

INFO = Gauge("piperoll_service_info", "Which service this process is", ["service", "instance"])


def configure_logging(settings: Settings, service: str) -> None:
    """Sends our log and the libraries' to standard error, in the format that the settings ask for."""
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
    handler.addFilter(_Patience())
    logging.basicConfig(handlers=[handler], level=max(level, logging.WARNING), force=True)
    INFO.labels(service, settings.instance).set(1)


class _Patience(logging.Filter):
    """Hears the same complaint of a library once in a while: an outage must not fill the disk with its log."""

    def __init__(self) -> None:
        super().__init__()
        self._heard: dict[tuple[str, str], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is written. Complaints are told apart by their form, not by what is put into it."""
        complaint = (record.name, str(record.msg))
        if record.created - self._heard.get(complaint, 0.0) < REPEAT_S:
            return False
        self._heard[complaint] = record.created
        return True


def _strip(logger: logging.Logger, name: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Drops what the standard library's bridge adds for itself."""
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return event
