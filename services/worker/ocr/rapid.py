"""RapidOCR with the models of its wheel: offline, for German and English; loaded at a child's first page."""

import math
from functools import cache
from importlib import import_module
from typing import Any

from services.worker.ocr.contract import Recognised
from services.worker.ocr.reading_order import TextLine, text_of
from services.worker.pages.drawing import Pixels
from services.worker.run.memory import raise_if_memory

THINNEST = 32  # pixels: the detector's grid; a thinner image contains no readable line
DETECTED = 650_000  # pixels for detection: A4 at 82 DPI, where it finds every line of 6-point type
SPARSE = 290_000  # pixels of a second detection, A4 at 55 DPI: the first one can miss a single line on a large page
SPARSE_LINES = 8  # with more lines there is no second detection
PARAMETERS = {
    "Global.log_level": "critical",  # it logs a warning for every page without text
    "Global.use_cls": False,  # its angle classifier turns upright lines upside down
    "Global.text_score": 0.0,  # uncertain lines are kept; the page's score shows it
    # Images have their final size already. Each of these would enlarge a narrow image without a bound.
    "Global.use_preprocess_img": False,
    "Global.use_vertical_padding": False,
    "Det.limit_type": "max",
    "Rec.rec_batch_num": 1,  # a batch is padded to its longest line, which costs time and 250 MiB on one core
    # A slot is one core; each further thread would reserve address space, which counts towards the memory cap.
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


def recognise(image: Pixels) -> Recognised:
    """Recognise one image; see `services.worker.ocr.contract.Engine`."""
    if min(image.width, image.height) < THINNEST:
        return Recognised(text="", score=None, lines=0)
    lines = _lines(image, DETECTED)
    if len(lines) <= SPARSE_LINES and image.width * image.height > SPARSE:
        lines = max(lines, _lines(image, SPARSE), key=_characters)
    characters = _characters(lines)
    score = sum(line.score * len(line.text) for line in lines) / characters if characters else None
    return Recognised(text=text_of(lines), score=score, lines=len(lines))


def _characters(lines: list[TextLine]) -> int:
    return sum(len(line.text) for line in lines)


def _lines(image: Pixels, detected: int) -> list[TextLine]:
    """Return the lines of an image: detected in `detected` pixels, recognised in full size."""
    numpy = import_module("numpy")
    rgb = numpy.frombuffer(image.rgb, dtype=numpy.uint8).reshape(image.height, image.width, 3)
    long, short = max(image.width, image.height), min(image.width, image.height)
    try:
        model = _model_detecting_at(round(math.sqrt(detected * long / short)))
        found = model(numpy.ascontiguousarray(rgb[:, :, ::-1]))  # the models are trained on blue, green, red
    except Exception as error:
        raise_if_memory(error)
        raise
    if found.txts is None:
        return []
    return [
        TextLine(
            text=text.strip(),
            score=float(score),
            left=float(box[:, 0].min()),
            top=float(box[:, 1].min()),
            right=float(box[:, 0].max()),
            bottom=float(box[:, 1].max()),
        )
        for text, score, box in zip(found.txts, found.scores, found.boxes, strict=True)
    ]


def _model_detecting_at(side: int) -> Any:
    """Return the model, set to detect in images with this longest side."""
    model = _model()
    model.cfg.Det.limit_side_len = side
    if model.text_det is not None:
        model.text_det.limit_side_len = side
    return model


@cache
def _model() -> Any:
    import_module("cv2").setNumThreads(1)
    return import_module("rapidocr").RapidOCR(params=PARAMETERS)
