"""The model runtime sends nothing about a process to its maker, and keeps no number of the machine."""

import subprocess
import sys
from pathlib import Path

from services.worker.children import environment

EMBED = "from piperoll.embeddings.local import LocalModel; LocalModel().embed(['a text'])"
IMPORT = "import onnxruntime; onnxruntime.get_all_providers()"


def files_left_by(code: str, home: Path, variables: dict[str, str]) -> list[str]:
    given = {**variables, "HOME": str(home), "PYTHONPATH": ":".join(sys.path)}
    subprocess.run([sys.executable, "-c", code], env=given, check=True, capture_output=True, timeout=60)
    return [str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()]


def test_a_process_that_embeds_a_text_keeps_no_telemetry(tmp_path: Path) -> None:
    assert files_left_by(EMBED, tmp_path, {}) == []


def test_a_child_of_a_worker_keeps_no_telemetry(tmp_path: Path) -> None:
    assert files_left_by(IMPORT, tmp_path, environment.at_start()) == []


def test_the_runtime_would_keep_telemetry_otherwise(tmp_path: Path) -> None:
    """Fails once the runtime no longer does: the variable can be removed then."""
    assert any("onnxruntime" in name for name in files_left_by(IMPORT, tmp_path, {}))
