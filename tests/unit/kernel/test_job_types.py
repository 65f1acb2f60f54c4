"""Plug-ins: which entry points become job types, and what is wrong with those that do not."""

import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from types import ModuleType

import pytest

from piperoll.job_types import GROUP, JobTypeError, cache_ttl_s, is_enabled, job_types, with_plug_ins
from piperoll.settings import Settings
from schemas.job_types.declaration import COMPLETED, JobType
from schemas.job_types.noop import NOOP
from schemas.job_types.parameters import JobParameters
from schemas.job_types.registry import OWN, JobTypes
from schemas.job_types.transformer import TRANSFORMER

ROOT = Path(__file__).parents[3]


def declared(name: str = "plug", **more: object) -> JobType:
    return JobType(**{"name": name, "parameters": JobParameters, "processor": "a.b:c", **more})  # type: ignore[arg-type]


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """An importable module for entry points to lead to."""
    made = ModuleType("plugged")
    monkeypatch.setitem(sys.modules, "plugged", made)
    return made


def entry(name: str = "plug", value: str = "plugged:PLUG") -> EntryPoint:
    return EntryPoint(name, value, GROUP)


def test_without_plug_ins_there_are_the_types_of_this_release() -> None:
    assert [one.name for one in with_plug_ins(OWN, [])] == [one.name for one in OWN]
    assert job_types() is job_types()


def test_a_plug_in_s_type_comes_after_ours(module: ModuleType) -> None:
    module.PLUG = declared()
    types = with_plug_ins(OWN, [entry()])
    assert types.get("plug") is module.PLUG
    assert [one.name for one in types][-1] == "plug"


@pytest.mark.parametrize(
    ("plug", "value", "sentence"),
    [
        (None, "missing_module:PLUG", "does not import (ModuleNotFoundError"),
        (None, "plugged:MISSING", "does not import (AttributeError"),
        ("text", "plugged:PLUG", "is str, but must be a JobType"),
        (declared("pdf"), "plugged:PLUG", "there is already a job type with the name 'pdf'"),
        (declared("transformer_template"), "plugged:PLUG", "already a job type with the name 'transformer_template'"),
        (declared(aliases=("noop",)), "plugged:PLUG", "there is already a job type with the name 'noop'"),
        (declared("Not Valid"), "plugged:PLUG", "the name 'Not Valid' is not a lower-case letter"),
        (declared(processor="a.b.c"), "plugged:PLUG", "must have the form package.module:function"),
        (
            declared(reads=("audio/",)),
            "plugged:PLUG",
            "transcription already reads documents of the media type 'audio/",
        ),
    ],
)
def test_an_unusable_declaration_is_an_error_with_an_instruction(
    module: ModuleType, plug: object, value: str, sentence: str
) -> None:
    module.PLUG = plug
    with pytest.raises(JobTypeError) as caught:
        with_plug_ins(OWN, [entry(value=value)])
    assert sentence in str(caught.value)
    assert f"{GROUP}: {value}" in str(caught.value)
    assert "reinstall the distribution, or uninstall it" in str(caught.value)


def test_a_service_with_a_broken_plug_in_does_not_start_and_names_its_distribution(tmp_path: Path) -> None:
    about = tmp_path / "broken_plug-1.0.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plug\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text(f"[{GROUP}]\nbroken = no_such_module:TYPE\n")
    environment = {"PYTHONPATH": f"{tmp_path}:{ROOT}", "PATH": "/usr/bin:/bin"}
    command = [sys.executable, "-m", "piperoll", "notifier"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1, ended.stderr
    assert "'broken' of the distribution broken-plug" in ended.stderr


def test_an_unknown_type_declares_nothing() -> None:
    unknown = OWN.of("hologram")
    assert OWN.get("hologram") is None
    assert (unknown.devana, unknown.archive("job-1", {}), unknown.downloads) == (None, None, frozenset())
    assert unknown.completion("job-1", {"structured_data": {"a": 1}}) == (COMPLETED, {"a": 1})
    assert unknown.step_message("looking_closely") == "looking closely"


def test_the_longest_beginning_of_a_media_type_decides_who_reads_it() -> None:
    types = JobTypes([*OWN, declared(reads=("audio/midi",))])
    assert types.reader_of("audio/midi").name == "plug"
    assert types.reader_of("audio/wav").name == "transcription"
    assert types.reader_of("text/plain").name == "extraction"


def test_results_are_reused_for_the_time_of_the_declaration_or_its_setting() -> None:
    settings = Settings.from_environment({"PIPEROLL_CACHE_TTL_S": "7", "PIPEROLL_TRANSFORMER_CACHE_TTL_S": "5"})
    assert cache_ttl_s(declared(), settings) == 7
    assert cache_ttl_s(TRANSFORMER, settings) == 5
    assert cache_ttl_s(declared(cache_ttl=3.0), settings) == 3


@pytest.mark.parametrize("enabled", [True, False])
def test_a_setting_may_switch_a_type_off(enabled: bool) -> None:
    settings = Settings.from_environment({"PIPEROLL_ENABLE_NOOP": str(enabled).lower()})
    assert is_enabled(NOOP, settings) is enabled
    assert is_enabled(TRANSFORMER, settings)
