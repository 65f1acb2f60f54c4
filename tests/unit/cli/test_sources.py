"""What `submit` makes of its arguments, before anything is sent."""

from pathlib import Path
from typing import Any

import pytest

from piperoll.cli.console import CommandError
from piperoll.cli.remote.sources import JobSource, SourceError, SourceOptions, job_sources

FILES = ["a.pdf", "b.docx", "talk.mp3", "deep/c.PDF", "deep/er/d.txt", ".hidden/e.pdf", ".f.pdf", "notes.xyz"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in FILES:
        path = tmp_path / "in" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "in" / "empty.pdf").touch()
    return tmp_path / "in"


def planned(*given: object, **options: Any) -> dict[str, JobSource]:
    return {one.name: one for one in job_sources([str(one) for one in given], SourceOptions(**options))}


def test_a_folder_is_its_files_of_known_kinds_and_recursively_those_below(folder: Path) -> None:
    assert set(planned(folder)) == {"a.pdf", "b.docx", "talk.mp3"}
    assert set(planned(folder, recursive=True)) == {"a.pdf", "b.docx", "talk.mp3", "deep/c.PDF", "deep/er/d.txt"}


def test_each_kind_of_file_has_its_job_type_unless_one_is_given(folder: Path) -> None:
    found = planned(folder, recursive=True)

    types = {name: one.job_type for name, one in found.items()}
    assert types["a.pdf"] == types["deep/c.PDF"] == "pdf"
    assert types["b.docx"] == types["deep/er/d.txt"] == "extraction"
    assert types["talk.mp3"] == "transcription"
    assert {one.job_type for one in planned(folder, job_type="extraction").values()} == {"extraction"}


def test_an_address_is_not_looked_for_on_the_disk() -> None:
    (source,) = planned("https://example.com/papers/a.pdf?download=1").values()

    assert (source.job_type, source.path) == ("pdf", None)
    assert source.parameters == {"url": "https://example.com/papers/a.pdf?download=1"}


def test_a_file_that_is_given_twice_is_submitted_once_and_equal_names_are_distinct(folder: Path) -> None:
    other = folder / "deep" / "a.pdf"
    other.write_text("another")

    found = planned(folder / "a.pdf", folder, other)

    assert len(found) == 4
    assert {one.path for one in found.values()} >= {folder / "a.pdf", other}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("missing.pdf", "is not a file: give a file, a folder or an"),
        ("notes.xyz", "jobs read no files of this kind, only .*pdf"),
        ("empty.pdf", "the file is empty"),
        ("deep/er/none", "is not a file"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(folder: Path, name: str, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence):
        planned(folder / "a.pdf", folder / name)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("letter.DOC", r"jobs do not read a Word document in the format before 2007 \(DOC\): save it as DOCX$"),
        ("mail.msg", "save it as EML"),
        ("all.zip", "unpack it and send its files"),
    ],
)
def test_a_kind_that_is_refused_comes_with_advice(folder: Path, name: str, sentence: str) -> None:
    (folder / name).write_bytes(b"content")

    with pytest.raises(SourceError, match=sentence):
        planned(folder / name)


def test_an_empty_folder_names_the_option_that_looks_deeper(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "above").mkdir()
    folder.rename(tmp_path / "above" / "in")

    with pytest.raises(SourceError, match="--recursive"):
        planned(tmp_path / "above")
    assert planned(tmp_path / "above", recursive=True)


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"extraction_method": "bogus"}, r"^a.pdf: extraction_method: is none of native, .*\(INVALID_PARAMETERS\)"),
        ({"page_start": 0}, "page_start: "),
        ({"webhook": {"url": "nowhere"}}, "webhook: "),
    ],
)
def test_a_wrong_option_is_refused_with_the_values_that_there_are(
    folder: Path, parameters: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(CommandError, match=sentence):
        planned(folder / "a.pdf", parameters=parameters)


def test_an_option_of_other_files_is_refused(folder: Path) -> None:
    with pytest.raises(CommandError, match=r"b.docx: extraction_method: jobs of the type extraction do not take it"):
        planned(folder, parameters={"extraction_method": "native"})


def test_a_type_of_a_plug_in_of_the_server_is_left_to_the_server(folder: Path) -> None:
    assert planned(folder / "a.pdf", job_type="stamping", parameters={"colour": "red"})


def test_many_problems_are_shortened(folder: Path) -> None:
    with pytest.raises(SourceError, match="and 90 more") as refused:
        planned(*(folder / f"missing-{number}.pdf" for number in range(100)))
    assert len(str(refused.value).splitlines()) == 11


def test_the_mark_is_of_content_type_and_parameters_and_not_of_the_name(folder: Path) -> None:
    (source,) = planned(folder / "a.pdf").values()
    (folder / "copy.pdf").write_bytes((folder / "a.pdf").read_bytes())

    targets = [
        next(iter(planned(folder / "copy.pdf").values())).target(),
        next(iter(planned(folder / "a.pdf", parameters={"page_end": 1}).values())).target(),
        next(iter(planned(folder / "a.pdf", job_type="extraction").values())).target(),
        next(iter(planned(folder / "deep/c.PDF").values())).target(),
    ]

    assert targets[0] == source.target()
    assert source.target() not in targets[1:]
    assert len(source.target()) < 60
