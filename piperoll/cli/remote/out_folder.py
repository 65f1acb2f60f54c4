"""The folder to which `submit --out` writes the result of each file."""

import json
from dataclasses import dataclass
from pathlib import Path

from piperoll.cli.console import CommandError
from piperoll.cli.remote.output import OutFormat
from piperoll.cli.remote.sources import JobSource
from piperoll.client import JobView


@dataclass(frozen=True, slots=True)
class OutFolder:
    """Writes one file for each result: its text, or the whole of it as JSON.

    In the format Markdown a result that is Markdown has the ending `.md`; others are text.
    """

    folder: Path
    format: OutFormat = OutFormat.TEXT

    def require_writable(self) -> None:
        """Make the folder before anything is sent. Raises CommandError."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"the results cannot be written to {self.folder}: {error.strerror}") from error

    def write(self, source: JobSource, job: JobView) -> None:
        """Write the result of a completed job. It appears whole. Raises OSError."""
        ending, content = self._content(job)
        path = self.folder / f"{_file_name(source)}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name}.part")
        beside.write_text(content, encoding="utf-8")
        beside.replace(path)

    def _content(self, job: JobView) -> tuple[str, str]:
        if self.format is OutFormat.JSON:
            return "json", json.dumps(job.results, ensure_ascii=False, indent=2) + "\n"
        markdown = self.format is OutFormat.MARKDOWN and job.markdown
        return "md" if markdown else "txt", job.text


def _file_name(source: JobSource) -> str:
    """Return the name of a source's result below the folder: that of its file, of an address its last part."""
    if source.path is not None:
        return source.name
    return source.name.partition("?")[0].rstrip("/").rpartition("/")[2] or "result"
