"""The uploads that a job's stored parameters name."""

import pytest

from piperoll.store.paths import refusal_of
from piperoll.store.uploads import file_ids_of, uses_by

FILE = "file-00000000-0000-4000-8000-000000000000"


def test_an_upload_is_named_by_filename_or_by_items_once() -> None:
    items = [{"filename": f"upload://{FILE}/b"}, {"filename": f"upload://{FILE}/c"}, {"url": "x"}, None]
    assert file_ids_of({"filename": f"upload://{FILE}/a.pdf"}) == (FILE,)
    assert file_ids_of({"filename": f"upload://{FILE}"}) == (FILE,)
    assert file_ids_of({"items": items}) == (FILE,)


@pytest.mark.parametrize(
    "name", ["..", ".", "", "/", "../x", f"{FILE}\\a\nb", f"{FILE}\\.", f"{FILE}\n", f"x{FILE}/a", "file-/a", "a" * 300]
)
def test_another_text_names_no_upload_whose_marker_could_not_be_stored(name: str) -> None:
    """Such parameters may be in the log, where an erasure meets them."""
    assert file_ids_of({"filename": f"upload://{name}", "items": [{"filename": f" upload://{FILE}/a"}]}) == ()


def test_the_markers_of_a_job_can_be_stored() -> None:
    (marker,) = uses_by("acme", "job-1", {"filename": f"upload://{FILE}/a/../b"})
    assert refusal_of(marker) is None
