"""The `noop` job, for benchmarks and tests: does as it is told, misbehaviour included. Reads no file."""

import os
import signal
import time
from typing import NoReturn, cast

from schemas.errors import ErrorCode
from schemas.job_types.noop import NoopParameters
from schemas.job_types.parameters import JobParameters
from services.worker.errors import ProcessingError
from services.worker.run.workspace import ReportProgress, Result, Workspace

ALLOCATION_BYTES = 64 * 1024 * 1024  # a quarter of the smallest memory cap: reaches any cap in a few steps


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Sleeps, reporting as often as asked, then succeeds or misbehaves as `behaviour` says."""
    asked = cast(NoopParameters, parameters)
    if (earlier := workspace.recall(asked)) is not None:
        return earlier
    _sleep(asked, report)
    if asked.behaviour != "succeed" and _misbehaves_now(asked, workspace.attempt):
        _misbehave(asked)
    return Result(structured_data={"behaviour": asked.behaviour, "attempt": workspace.attempt})


def _misbehaves_now(asked: NoopParameters, attempt: int) -> bool:
    return asked.until_attempt is None or attempt < asked.until_attempt


def _sleep(asked: NoopParameters, report: ReportProgress) -> None:
    if not asked.steps:
        time.sleep(asked.sleep_s)
    for step in range(1, asked.steps + 1):
        time.sleep(asked.sleep_s / asked.steps)
        report("working", 99 * step // asked.steps, page=step, pages=asked.steps)


def _misbehave(asked: NoopParameters) -> NoReturn:
    match asked.behaviour:
        case "crash":
            os.kill(os.getpid(), signal.SIGSEGV)
            raise AssertionError("a process does not outlive its SIGSEGV")
        case "loop":
            while True:
                pass
        case "allocate":
            held = []
            while True:
                held.append(bytearray(ALLOCATION_BYTES))
        case _:
            raise ProcessingError(_failure_code(asked), "The noop job was told to fail.")


def _failure_code(asked: NoopParameters) -> ErrorCode:
    if asked.error_code is None:
        return ErrorCode.PROCESSING_ERROR
    try:
        return ErrorCode(asked.error_code)
    except ValueError as error:
        known = ", ".join(ErrorCode)
        raise ProcessingError(
            ErrorCode.PROCESSING_ERROR, f"error_code {asked.error_code!r} is none of {known}."
        ) from error
