"""The examples of the README and of docs/clients.md, run as they are written, against a stack of `piperoll up`."""

import asyncio
import json
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.files.pdf import pdf
from tests.support.waiting import wait_until

README = Path(__file__).parents[2] / "README.md"
CLIENTS = README.parent / "docs" / "clients.md"
READY_S = 90.0
KEY = "pr_readme.a-key-of-the-test"

OUTPUTS = {
    "A file to its text": "This is page 1.",
    "Many files at once": "completed",
    "Before a job": " pages, ",
    "Following a job": "completed None",
    "Documents and their search": "page 2",
    "Webhooks": "",
    "Facts": "JobCompleted job-",
}
"""What the program of each section of docs/clients.md prints, among other things; the jobs of the first have ended."""


def examples() -> list[str]:
    """The blocks of the section about curl except the first, which exports the API's address and key."""
    section = README.read_text(encoding="utf-8").partition("### With curl")[2].partition("\n## ")[0]
    first, *others = re.findall(r"^```sh\n(.*?)^```", section, flags=re.MULTILINE | re.DOTALL)
    assert re.findall(r"export (\w+)", first) == ["PIPEROLL_URL", "PIPEROLL_API_KEY"]
    return others


@pytest.fixture(scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The working directory of a reader of the README: `.venv`, a report, and a stack with its data in `data`."""
    home = tmp_path_factory.mktemp("reader")
    (home / ".venv").symlink_to(Path(sys.executable).parent.parent)
    pdf(home / "report.pdf", pages=4)
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PIPEROLL_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "piperoll", "up", "--port", "0", "--no-demo", "--api-key", KEY, "--workers", "2"),
        cwd=home,
        env=plain,
        stdout=asyncio.subprocess.DEVNULL,
    )
    try:
        await _serving(home)
        yield home
    finally:
        process.send_signal(signal.SIGTERM)
        await process.wait()
    assert process.returncode == 0


async def _serving(home: Path) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:

        async def ready() -> bool:
            return (await client.get(f"{_url(home)}/api/health/ready")).status_code == 200

        await wait_until(ready, READY_S, "the API to be ready", not_yet=(FileNotFoundError, httpx.TransportError))


def _url(home: Path) -> str:
    return str(json.loads((home / "data" / "stack.json").read_text())["api_url"])


@pytest.mark.needs("curl")
async def test_the_examples_with_curl_work_as_written(folder: Path) -> None:
    output = await _run("\n".join(examples()), folder)
    job, events, deliveries, batch = (answer["data"] for answer in answers(output))
    assert job["status"] in ("processing", "completed")
    assert [event["sequence"] for event in events["events"]] == list(range(1, len(events["events"]) + 1))
    assert events["events"][0]["type"] == "piperoll.JobCreated.v1"
    assert deliveries == {"deliveries": []}
    assert (batch["batch_name"], batch["job_count"]) == ("Monday", 2)
    assert "This is page 1." in output.rpartition("}")[2], "the output of `piperoll submit` is last"


def answers(output: str) -> list[dict[str, Any]]:
    """The JSON objects at the beginning of `output`, which curl prints one after another without line ends."""
    found, rest = [], output
    while rest.startswith("{"):
        answer, end = json.JSONDecoder().raw_decode(rest)
        found.append(answer)
        rest = rest[end:]
    return found


def programs(document: Path) -> dict[str, str]:
    """The programs in Python of a document, by the heading above each."""
    found = re.findall(
        r"^##+ ([^\n]+)\n(?:(?!^##+ ).)*?^```python\n(.*?)^```",
        document.read_text(encoding="utf-8"),
        flags=re.MULTILINE | re.DOTALL,
    )
    return dict(found)


async def test_the_example_with_python_works_as_written(folder: Path) -> None:
    (program,) = programs(README).values()
    given = program.replace("http://127.0.0.1:5001", _url(folder)).replace("the-key-that-was-printed", KEY)

    assert "This is page 4." in await _run_python(given, folder)


def test_each_program_of_the_page_about_clients_is_run() -> None:
    assert list(programs(CLIENTS)) == list(OUTPUTS)
    assert len(re.findall(r"^```python$", CLIENTS.read_text(encoding="utf-8"), flags=re.MULTILINE)) == len(OUTPUTS)


@pytest.mark.parametrize("section", OUTPUTS)
async def test_a_program_of_the_page_about_clients_works_as_written(section: str, folder: Path) -> None:
    assert OUTPUTS[section] in await _run_python(programs(CLIENTS)[section], folder)


async def _run_python(program: str, home: Path) -> str:
    (home / "program.py").write_text(program, encoding="utf-8")
    return await _run("exec .venv/bin/python program.py", home)


async def _run(script: str, home: Path) -> str:
    """Return the output of a script that must end with status 0."""
    stack = json.loads((home / "data" / "stack.json").read_text())
    given = {
        "PATH": os.environ["PATH"],
        "PIPEROLL_URL": stack["api_url"],
        "PIPEROLL_API_KEY": KEY,
        **{name: value for name, value in stack["env"].items() if name.startswith("PIPEROLL_KAFKA_")},
    }
    process = await asyncio.create_subprocess_exec(
        *("bash", "-euo", "pipefail", "-c", script),
        cwd=home,
        env=given,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, errors = await process.communicate()
    assert process.returncode == 0, errors.decode() + out.decode()
    return out.decode()
