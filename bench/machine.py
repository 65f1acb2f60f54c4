"""The machine, the time and the versions of a measurement; results of different machines cannot be compared."""

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import psutil

from bench.report import MIB
from piperoll.embedded.jars import KAFKA_VERSION
from piperoll.embedded.postgres import binaries

LIBRARIES = ("aiokafka", "asyncpg", "fastapi", "uvicorn", "uvloop", "pydantic", "obstore", "pymupdf",
             "rapidocr", "onnxruntime")  # fmt: skip


def describe(load: float) -> list[str]:
    """Return lines about the machine and the versions; `load` is the load average before the measurement."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC; load average before it began: {load:.1f}",
        f"{_cpu()}, {os.cpu_count()} cores, {psutil.virtual_memory().total // MIB:,} MiB of memory, {_system()}",
        f"Python {platform.python_version()}, Apache Kafka {KAFKA_VERSION}, {_postgres()}, {libraries}",
        "Everything runs on this one machine: four services, Kafka, Postgres, the load generator and the receiver",
    ]


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _postgres() -> str:
    output = subprocess.run([binaries() / "postgres", "--version"], capture_output=True, text=True, check=True).stdout
    return f"Postgres {output.split()[-1]}"


def _system() -> str:
    return f"{platform.freedesktop_os_release().get('PRETTY_NAME', 'Linux')}, Linux {platform.release()}"
