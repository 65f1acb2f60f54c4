"""The `embedding` processor over a real blob store, with the local model and with Mistral over the wire."""

import asyncio
import json
from dataclasses import replace

import pytest

from piperoll.store.blobs import AsyncBlobs
from piperoll.store.document_paths import delete_content, removal_of
from schemas.documents import FolderIndex, ResolvedFolder, ResolvedText
from schemas.errors import ErrorCode
from schemas.job_types.embedding import LOCAL_MODEL, EmbeddingParameters
from services.worker.errors import ProcessingError
from services.worker.processors import embedding
from services.worker.providers import Providers, ProviderSetup
from tests.support.files.indexes import chunks_of
from tests.support.runs.pdf import Reports, kept, workspace
from tests.support.servers.mistral import EMBEDDINGS, KEY, refused

SOIL = "Soil is alive. Earthworms dig through it. Fungi feed the roots of plants.\n\nRain washes it away."
LEAVE = "Employees have twenty-five days of annual leave. Leave is requested from the manager in writing."


def extracted(place, document_id, text, name=None):
    """A document whose text a job has extracted, as the API resolves it."""
    result = {"structured_data": {"extracted_text": text}, "assets": [], "target_dir": "t"}
    uri = f"job-{document_id}/run/result.json"
    claim = place.blobs.put_named(uri, json.dumps(result).encode(), "application/json")
    return ResolvedText(document_id=document_id, name=name or f"{document_id}.txt", text=claim)


def folder(*documents, chunk_size=100, pending=0):
    return ResolvedFolder(folder_id="folder-1", name="F", chunk_size=chunk_size, documents=documents, pending=pending)


@pytest.fixture
def place(tmp_path):
    return workspace(tmp_path)


def run(place, resolved, **asked):
    reports = Reports()
    asked = EmbeddingParameters(folder_id="folder-1", **asked)
    return embedding.process(asked, replace(place, resolved=resolved), reports), reports


def index_of(place, result):
    return FolderIndex.model_validate_json(place.blobs.get(result.index.uri))


def texts_of(place, result):
    return [chunk.text for _, chunk in chunks_of(place.blobs, index_of(place, result))]


def test_a_folders_texts_become_chunks_with_vectors(place):
    documents = extracted(place, "doc-soil", SOIL), extracted(place, "doc-leave", LEAVE[:48])
    result, reports = run(place, folder(*documents, chunk_size=80, pending=3))
    index = index_of(place, result)
    assert (index.folder_id, index.model, index.dimensions) == ("folder-1", LOCAL_MODEL, 384)
    chunks = chunks_of(place.blobs, index)
    found = [(document_id, chunk.number) for document_id, chunk in chunks]
    assert found == [("doc-soil", 0), ("doc-soil", 1), ("doc-leave", 0)]
    assert chunks[0][1].text.startswith("Soil is alive.")
    assert chunks[1][1].text.endswith("Rain washes it away.")
    assert all(sum(part * part for part in chunk.vector) == pytest.approx(1, abs=1e-3) for _, chunk in chunks)
    assert result.counts == {"filesProcessed": 2, "filesPending": 3, "totalChunks": 3, "chunkSize": 80}
    assert result.method == LOCAL_MODEL
    assert result.structured_data["totalChunks"] == 3
    assert result.structured_data["documents"][0] == {"document_id": "doc-soil", "name": "doc-soil.txt", "chunks": 2}
    assert kept(place) == ["index.json", "index/doc-leave", "index/doc-soil"]
    assert reports.steps == ["initializing", "embedding", "finalizing"]
    json.dumps(result.body(place.target_dir))


def test_the_jobs_chunk_size_goes_before_the_folders(place):
    document = extracted(place, "doc-1", LEAVE)
    result, _ = run(place, folder(document), chunk_size=50)
    assert result.counts["chunkSize"] == 50
    assert all(len(text) <= 50 for text in texts_of(place, result))


def test_a_document_whose_text_was_erased_is_left_out_and_named(place):
    gone, there = extracted(place, "doc-1", SOIL, "gone.pdf"), extracted(place, "doc-2", LEAVE)
    place.blobs.delete([gone.text.uri])
    result, _ = run(place, folder(gone, there))
    assert [part.document_id for part in index_of(place, result).parts] == ["doc-2"]
    assert result.counts["filesProcessed"] == 1
    assert result.notes == ("Skipped, since their text was erased: gone.pdf.",)


def test_a_document_that_is_removed_while_it_is_embedded_leaves_nothing(place):
    """The removal was appended and looked for marks before the run had written one."""
    removed, there = extracted(place, "doc-1", SOIL, "removed.pdf"), extracted(place, "doc-2", LEAVE)
    place.blobs.put_named(removal_of("doc-1"), b"", "application/octet-stream")
    result, _ = run(place, folder(removed, there))
    assert [part.document_id for part in index_of(place, result).parts] == ["doc-2"]
    assert kept(place) == ["index.json", "index/doc-2"]
    assert list(place.blobs.list("documents/doc-1")) == []
    assert result.notes == ("Skipped, since their text was erased: removed.pdf.",)


def test_removing_a_document_takes_its_text_out_of_every_index(place):
    documents = extracted(place, "doc-1", SOIL), extracted(place, "doc-2", LEAVE)
    runs = [replace(place, run=f"run{number}") for number in range(2)]
    for one in runs:
        run(one, folder(*documents))
    blobs = AsyncBlobs(place.blobs)
    for _ in range(2):
        asyncio.run(delete_content(blobs, "doc-1"))
        for one in runs:
            assert kept(one) == ["index.json", "index/doc-2"]
    blobs.close()
    assert list(place.blobs.list("documents/doc-1")) == []
    assert [mark.rpartition("_")[2] for mark in place.blobs.list("documents/doc-2")] == ["run0", "run1"]


def test_a_document_without_text_counts_and_is_named(place):
    result, _ = run(place, folder(extracted(place, "doc-1", " \n ", "blank.pdf")))
    assert index_of(place, result).parts == ()
    assert (result.counts["filesProcessed"], result.counts["totalChunks"]) == (1, 0)
    assert result.notes == ("Without text: blank.pdf.",)


def test_an_empty_folder_has_an_empty_index(place):
    result, _ = run(place, folder())
    assert index_of(place, result) == FolderIndex(folder_id="folder-1", model=LOCAL_MODEL, dimensions=384, parts=())
    assert result.counts["filesProcessed"] == 0


def test_progress_grows_with_each_batch(place, monkeypatch):
    monkeypatch.setattr(embedding, "BATCH", 1)
    documents = [extracted(place, f"doc-{number}", SOIL) for number in range(3)]
    _, reports = run(place, folder(*documents, chunk_size=80))
    percents = [percent for step, percent, *_ in reports if step == "embedding"]
    assert percents == sorted(set(percents))
    assert len(percents) == 6


def test_quotes_line_ends_and_every_character_survive(place):
    text = 'She said "no".\n\n\tTab, \\ backslash, \u00e4\u20ac\U0001f600 end.'
    result, _ = run(place, folder(extracted(place, "doc-1", text)))
    assert texts_of(place, result) == [text]


def test_with_a_key_mistral_embeds(tmp_path, mistral):
    place = workspace(tmp_path, Providers(ProviderSetup(mistral_key=KEY, mistral_url=mistral.url)))
    document = extracted(place, "doc-1", LEAVE)
    result, _ = run(place, folder(document))
    index = index_of(place, result)
    (_, chunk), *_ = chunks_of(place.blobs, index)
    assert (index.model, index.dimensions, len(chunk.vector)) == ("mistral-embed", 1024, 1024)
    local, _ = run(replace(place, run="run-2"), folder(), model=LOCAL_MODEL)
    assert local.method == LOCAL_MODEL
    mistral.then(EMBEDDINGS, refused(429))
    with pytest.raises(ProcessingError) as failed:
        run(place, folder(document))
    assert failed.value.code is ErrorCode.RATE_LIMITED


@pytest.mark.parametrize("model", ["mistral-embed", "another"])
def test_a_model_that_cannot_be_used_fails_at_once(place, model):
    with pytest.raises(ProcessingError) as failed:
        run(place, folder(extracted(place, "doc-1", SOIL)), model=model)
    assert (failed.value.code, failed.value.retryable) == (ErrorCode.EMBEDDING_UNAVAILABLE, False)
