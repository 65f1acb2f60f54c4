"""The archive of a session: upstream's layout, the same bytes for the same input."""

import zipfile

from schemas.job_types.session import SessionParameters
from services.worker.processors.session.archive import readme, write

ASKED = SessionParameters(
    event="My Event",
    session="On\nsoil",
    url="https://example.com/talk",
    filename="talk.md",
    track="Main",
    day="2026-02-28",
    starttime="09:30",
    speakers=["Speaker one", "", "Speaker two"],
    target_language="de",
)


def written(tmp_path, name, place="My Event/de/Main/talk.md", pages=(1, 2)):
    previews = {}
    for page in pages:
        path = tmp_path / f"preview_{page:03d}.jpg"
        path.write_bytes(b"jpeg %d" % page)
        previews[f"My Event/assets/slides/{path.name}"] = path
    target = tmp_path / name
    write(target, ASKED, (place, "# Grüße"), previews)
    return target


def test_members_stand_in_order_and_the_same_input_gives_the_same_bytes(tmp_path):
    first = written(tmp_path, "a.zip", pages=(2, 1))
    assert first.read_bytes() == written(tmp_path, "b.zip").read_bytes()
    with zipfile.ZipFile(first) as opened:
        assert opened.testzip() is None
        assert opened.namelist() == [
            "README.md",
            "My Event/de/Main/talk.md",
            "My Event/assets/slides/preview_001.jpg",
            "My Event/assets/slides/preview_002.jpg",
        ]
        assert opened.read("My Event/de/Main/talk.md").decode() == "# Grüße"
        assert opened.read("My Event/assets/slides/preview_002.jpg") == b"jpeg 2"


def test_names_beyond_ascii_survive(tmp_path):
    with zipfile.ZipFile(written(tmp_path, "a.zip", "Böden/de/T/Grüße.md", ())) as opened:
        assert opened.namelist() == ["README.md", "Böden/de/T/Grüße.md"]


def test_the_readme_lists_the_content_of_the_archive():
    previews = [f"My Event/assets/slides/preview_{page:03d}.jpg" for page in (2, 1)]
    text = readme(ASKED, "My Event/de/Main/talk.md", previews)
    assert text.startswith("# On soil\n")
    assert "- Time: 09:30\n" in text
    assert "- Speakers: Speaker one, Speaker two\n" in text
    assert "- Language: DE (from EN)\n" in text
    assert "Video" not in text
    assert "- `My Event/de/Main/talk.md`\n- `My Event/assets/slides/`: previews of 2 pages\n" in text
