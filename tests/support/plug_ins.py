"""The job type of `docs/job-types.md`, as an installed plug-in and in a copy of the repository."""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs/job-types.md"
BLOCK = re.compile(r"^```(?:python|toml)\n# (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def code_of_the_document() -> dict[str, str]:
    """The files that the document shows, by the path that stands in their first line."""
    return dict(BLOCK.findall(DOCUMENT.read_text(encoding="utf-8")))


def installed_plug_in(folder: Path) -> Path:
    """The document's plug-in as a wheel that pip installed; answers the folder of the installed packages."""
    files = code_of_the_document()
    project = tomllib.loads(files.pop("pyproject.toml"))["project"]
    wheel = _wheel(folder, project["name"].replace("-", "_"), project["version"], files, project["entry-points"])
    target = folder / "installed"
    options = ("--no-index", "--no-deps", "--disable-pip-version-check", "--quiet", "--target", str(target))
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(wheel)], check=True, timeout=120)
    return target


def repository_with_the_job_type(folder: Path) -> Path:
    """A copy of the product to which the document's job type was added: two new files, and one line."""
    copy = folder / "repository"
    for package in ("piperoll", "schemas", "services"):
        shutil.copytree(ROOT / package, copy / package, ignore=shutil.ignore_patterns("__pycache__"))
    files = code_of_the_document()
    places = {
        "piperoll_thumbnail/job_type.py": "schemas/job_types/thumbnail.py",
        "piperoll_thumbnail/processor.py": "services/worker/processors/thumbnail.py",
    }
    for shown, place in places.items():
        code = files[shown].replace("piperoll_thumbnail.job_type", "schemas.job_types.thumbnail")
        code = code.replace("piperoll_thumbnail.processor", "services.worker.processors.thumbnail")
        (copy / place).write_text(code, encoding="utf-8")
    registry = copy / "schemas/job_types/registry.py"
    lines = registry.read_text(encoding="utf-8")
    lines = lines.replace("        NOOP,\n", "        NOOP,\n        THUMBNAIL,\n")
    lines = lines.replace(
        "import TRANSFORMER\n", "import TRANSFORMER\nfrom schemas.job_types.thumbnail import THUMBNAIL\n"
    )
    registry.write_text(lines, encoding="utf-8")
    return copy


def _wheel(
    folder: Path, name: str, version: str, files: dict[str, str], entry_points: dict[str, dict[str, str]]
) -> Path:
    """A wheel by hand (the binary distribution format of packaging.python.org): a zip of packages and metadata."""
    about = f"{name}-{version}.dist-info"
    groups = [
        f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
        for group, entries in entry_points.items()
    ]
    packages = {f"{path.partition('/')[0]}/__init__.py": "" for path in files}
    contents = {
        **packages,
        **files,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/entry_points.txt": "\n".join(groups),
    }
    record = "".join(f"{path},,\n" for path in [*contents, f"{about}/RECORD"])
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in {**contents, f"{about}/RECORD": record}.items():
            archive.writestr(path, content)
    return wheel
