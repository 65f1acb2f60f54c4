"""The `noop` job, for benchmarks and tests: sleeps, and crashes, loops, allocates or fails on request."""

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
    """Sleep with `steps` reports, then succeed or misbehave as `behaviour` requires."""
    params = cast(NoopParameters, parameters)
    if (earlier := workspace.recall(params)) is not None:
        return earlier
    _sleep(params, report)
    if params.behaviour != "succeed" and _misbehaves_now(params, workspace.attempt):
        _misbehave(params)
    return Result(structured_data={"behaviour": params.behaviour, "attempt": workspace.attempt})


def _misbehaves_now(params: NoopParameters, attempt: int) -> bool:
    return params.until_attempt is None or attempt < params.until_attempt


def _sleep(params: NoopParameters, report: ReportProgress) -> None:
    if not params.steps:
        time.sleep(params.sleep_s)
    for step in range(1, params.steps + 1):
        time.sleep(params.sleep_s / params.steps)
        report("working", 99 * step // params.steps, page=step, pages=params.steps)


def _misbehave(params: NoopParameters) -> NoReturn:
    match params.behaviour:
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
            raise ProcessingError(_failure_code(params), "The noop job failed as requested.")


def _failure_code(params: NoopParameters) -> ErrorCode:
    if params.error_code is None:
        return ErrorCode.PROCESSING_ERROR
    try:
        return ErrorCode(params.error_code)
    except ValueError as error:
        codes = ", ".join(ErrorCode)
        raise ProcessingError(
            ErrorCode.PROCESSING_ERROR, f"error_code {params.error_code!r} must be one of {codes}."
        ) from error
