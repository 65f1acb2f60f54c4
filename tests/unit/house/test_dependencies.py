"""The lock files, and the commands that audit them and list their licences."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from tests.support.repository import ROOT

SPEC = importlib.util.spec_from_file_location("dependencies", ROOT / "deploy" / "dependencies.py")
assert SPEC is not None
assert SPEC.loader is not None
dependencies: ModuleType = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(dependencies)


@pytest.mark.parametrize("lock", dependencies.LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_a_hash_of_each_package_and_names_no_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert "://" not in text
    packages = dependencies.PINNED.findall(text)
    assert len(packages) > 5
    for name, version in packages:
        assert f"{name}=={version} \\\n    --hash=sha256:" in text


def test_what_runs_has_the_same_versions_in_tests() -> None:
    run, tried, built = map(dependencies.pinned, dependencies.LOCKS)
    assert run.items() <= tried.items()
    assert all(tried.get(name, version) == version for name, version in built.items())


def test_vulnerabilities_are_listed_with_what_mends_them() -> None:
    report = dependencies.parsed(
        '{"dependencies": [{"name": "a", "version": "1", "vulns": [{"id": "X-1", "fix_versions": ["2", "3"]}]},'
        ' {"name": "b", "version": "1", "vulns": []}, {"name": "c", "skip_reason": "not found"}]}'
    )
    assert report is not None
    assert dependencies.findings(report) == (2, ["a 1: X-1, mended in 2, 3"])


@pytest.mark.parametrize(("output", "code"), [("", 0), ("no network", 0), ('{"dependencies": []}', 0)])
def test_an_audit_without_the_network_passes_and_is_reported(
    output: str, code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = type("Done", (), {"stdout": output})
    monkeypatch.setattr(dependencies.subprocess, "run", lambda *_, **__: done)
    assert dependencies.audit(dependencies.LOCKS[0]) == code
    assert "audited" in capsys.readouterr().out


def test_licences_are_those_that_packages_declare() -> None:
    assert dependencies.licence_of("pydantic") == "MIT"
    assert "Apache" in dependencies.licence_of("mistralai")
    assert dependencies.licence_of("no-such-package") == "not installed here"
