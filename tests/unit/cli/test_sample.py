"""The document of the demonstration is a real PDF of several pages with text that can be read back."""

from pathlib import Path

import pymupdf

from piperoll.cli.sample import chapters, write_sample


def test_each_chapter_is_one_page_with_its_text(tmp_path: Path) -> None:
    path = tmp_path / "sample.pdf"

    pages = write_sample(path)

    with pymupdf.open(path) as document:
        texts = [" ".join(page.get_text(flags=0).split()) for page in document]
    assert pages == len(texts) == len(chapters()) >= 12
    for text, (title, paragraphs) in zip(texts, chapters(), strict=True):
        assert text.startswith(title)
        assert paragraphs[-1].split()[-1] in text
