"""The pure modules of the page, run by Node: the tests in `modules/`."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.repository import ROOT

TESTS = Path(__file__).parent / "modules"
LIMIT_S = 60


@pytest.mark.needs("node")
@pytest.mark.parametrize("name", sorted(path.name for path in TESTS.glob("*.test.js")))
def test_the_pure_modules_of_the_page(name: str, tmp_path: Path) -> None:
    shutil.copytree(ROOT / "services/api/page/static", tmp_path / "static")
    shutil.copy(TESTS / name, tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    ran = subprocess.run(["node", "--test", name], cwd=tmp_path, capture_output=True, text=True, timeout=LIMIT_S)
    assert ran.returncode == 0, ran.stdout + ran.stderr
