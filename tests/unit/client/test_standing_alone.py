"""The client needs nothing else of Piperoll: its imports, its wheel, and what it repeats of the product."""

import importlib.util
import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import get_args
from zipfile import ZipFile

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from piperoll.client import retry_after
from piperoll.client.parameters import ExtractionMethod, JobOptions, WebhookOptions
from piperoll.webhooks.retry_after import retry_after_s
from schemas.job_types.parameters import Webhook
from schemas.job_types.pdf import ALIASES, METHODS
from schemas.job_types.registry import OWN
from tests.support.histories.jobs import BEGAN
from tests.support.source import FILES, ROOT, imports, module_of
from tests.support.tools import wait_for

FOLDER = ROOT / "clients" / "python"
OUTSIDE = {"httpx", "pydantic"}
EXTRAS = {"aiokafka": "piperoll.client.facts.following", "cryptography": "piperoll.client.webhooks"}
"""Packages of extras, and the one module that imports each of them, within a function."""
CLIENT = [file for file in FILES if module_of(file).startswith("piperoll.client")]

PROGRAM = """
import json
import piperoll.client
piperoll.client.Client("http://127.0.0.1:1", "key").close()
print(json.dumps([piperoll.client.__file__, sorted(sys.modules)]))
"""


@pytest.mark.parametrize("file", CLIENT, ids=module_of)
def test_a_module_of_the_client_imports_the_client_and_two_packages(file: Path) -> None:
    for name in imports(file):
        top = name.partition(".")[0]
        if top == "piperoll":
            assert name.startswith("piperoll.client"), name
        elif top in EXTRAS:
            assert module_of(file) == EXTRAS[top], name
        else:
            assert top in OUTSIDE | sys.stdlib_module_names, name


def pip(*arguments: str | Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("PIP_")}
    quiet = ("--quiet", "--disable-pip-version-check", "--no-index", "--no-deps")
    subprocess.run([sys.executable, "-m", "pip", arguments[0], *quiet, *arguments[1:]], env=bare, check=True)


def test_the_wheel_has_the_client_alone_and_works_without_the_product(tmp_path: Path) -> None:
    if importlib.util.find_spec("hatchling") is None:
        wait_for("hatchling: `make setup` installs it, of requirements-build.lock")
    pip("wheel", "--no-build-isolation", "--wheel-dir", tmp_path, FOLDER)
    (wheel,) = tmp_path.glob("piperoll_client-*.whl")
    pip("install", "--target", tmp_path / "site", wheel)
    sources = {file.relative_to(ROOT).as_posix() for file in CLIENT} | {"piperoll/client/py.typed"}
    assert {name for name in ZipFile(wheel).namelist() if not name.startswith("piperoll_client-")} == sources

    # -S leaves out the packages of this environment, and -I its folder; the folder with httpx and pydantic comes back.
    paths = [str(tmp_path / "site"), str(Path(httpx.__file__).parents[1])]
    program = f"import sys; sys.path[:0] = {paths!r}\n{PROGRAM}"
    ended = subprocess.run([sys.executable, "-S", "-I", "-c", program], cwd=tmp_path, capture_output=True, text=True)

    assert ended.returncode == 0, ended.stderr
    place, loaded = json.loads(ended.stdout)
    assert place.startswith(paths[0])
    assert [name for name in loaded if name.partition(".")[0] in ("schemas", "services", *EXTRAS)] == []


def test_both_packages_have_one_version_and_the_same_bounds() -> None:
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    alone = tomllib.loads((FOLDER / "pyproject.toml").read_text())["project"]

    assert alone["version"] == whole["version"]
    assert alone["requires-python"] == whole["requires-python"]
    assert {one.partition(">")[0] for one in alone["dependencies"]} == OUTSIDE


def test_the_names_of_parameters_are_those_of_the_job_types() -> None:
    fields = {
        field.alias or name
        for job_type in set(OWN.requestable) - {"noop"}
        for name, field in OWN.of(job_type).parameters.model_fields.items()
    }

    assert set(JobOptions.__annotations__) == fields
    assert set(get_args(ExtractionMethod)) == {*METHODS, *ALIASES}
    assert set(WebhookOptions.__annotations__) == {field.alias or name for name, field in Webhook.model_fields.items()}


@given(
    st.none() | st.text() | st.integers(-10, 10**12).map(str) | st.datetimes().map(lambda t: f"{t:%a, %d %b %Y %T} GMT")
)
def test_a_retry_after_is_read_as_the_product_does(header: str | None) -> None:
    assert retry_after.retry_after_s(header, BEGAN) == retry_after_s(header, BEGAN)
