"""Files for runs of the `sync` processor."""

from pathlib import Path


def write(folder: Path, name: str, content: str = "content") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path
