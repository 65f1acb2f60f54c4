"""The options of `python -m bench`, without a measurement."""

from collections.abc import Collection
from pathlib import Path

import pytest

from bench import __main__ as bench
from bench.report import Table, markdown, replaced


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[set[str], Path]]:
    """Parts and data folder of each measurement, which is replaced."""
    seen: list[tuple[set[str], Path]] = []

    async def measure(chosen: Collection[str], data: Path, pdfs: Path | None) -> list[Table]:
        seen.append((set(chosen), data))
        return []

    monkeypatch.setattr(bench, "measure_parts", measure)
    return seen


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr("sys.argv", ["bench", *arguments])
    bench.main()


def test_data_creates_the_folder_and_its_parents(
    tmp_path: Path, calls: list[tuple[set[str], Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run(monkeypatch, "--only", "embedding", "--data", "new/folder")
    assert calls == [({"embedding"}, tmp_path / "new" / "folder")]
    assert (tmp_path / "new" / "folder").is_dir()


def test_without_only_all_parts_run(calls: list[tuple[set[str], Path]], monkeypatch: pytest.MonkeyPatch) -> None:
    run(monkeypatch)
    assert calls[0][0] == bench.PARTS.keys()


@pytest.mark.parametrize("arguments", [("--only", "pages,nothing"), ("--only", "pages", "--write")])
def test_an_unknown_part_and_an_incomplete_write_are_refused(
    calls: list[tuple[set[str], Path]], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run(monkeypatch, *arguments)
    assert calls == []


def test_parts_with_a_stack_of_their_own_are_written_into_the_results_of_the_others(
    tmp_path: Path, calls: list[tuple[set[str], Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "RESULTS.md"
    results.write_text("# Title\n\nText\n\n## Speed\n\nold\n", encoding="utf-8")
    monkeypatch.setattr(bench, "RESULTS", results)
    run(monkeypatch, "--only", "embedding", "--write")
    assert calls[0][0] == {"embedding"}
    assert results.read_text("utf-8") == "# Title\n\nText\n\n## Speed\n\nold\n"


def test_a_section_replaces_the_one_with_its_title_or_is_the_last_and_names_its_machine() -> None:
    old, other = (Table(title, ("What", "s"), [("a", "1")], "How.") for title in ("Rebuild", "Speed"))
    content = markdown(["of the whole"], [old, other])
    new, more = Table("Rebuild", ("What", "s"), [("a", "2")], "How."), Table("More", ("What", "s"), [("b", "3")])
    found = replaced(content, ["today", "here"], [new, more])
    assert found.partition("\n## ")[0] == content.partition("\n## ")[0]
    assert [line for line in found.splitlines() if line.startswith("## ")] == ["## Rebuild", "## Speed", "## More"]
    assert "| a | 2 |\n\nHow.\n\nMeasured apart from the rest: today; here.\n\n## Speed" in found
    assert found.endswith("| b | 3 |\n\nMeasured apart from the rest: today; here.\n")
    assert replaced(found, ["today", "here"], [new, more]) == found


def test_help_describes_every_part(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        run(monkeypatch, "--help")
    text = capsys.readouterr().out
    for name, description in bench.PARTS.items():
        assert f"  {name:<10} {description}\n" in text


async def test_a_part_that_this_machine_cannot_measure_has_a_sentence_and_no_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert await bench.measure_parts(["page"], tmp_path, None) == []
    assert "install chromium" in capsys.readouterr().out
