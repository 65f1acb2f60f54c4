"""RapidOCR with the models that its wheel ships: runs offline, reads German and English. No page order is made here.

The model is loaded at the first page of a child's life (0.3 s, 60 MiB) and stays until the child is replaced.
"""

import math
from functools import cache
from importlib import import_module
from typing import Any

from services.worker.ocr.contract import Recognised
from services.worker.ocr.reading_order import TextLine, text_of
from services.worker.pages.drawing import Pixels
from services.worker.run.memory import raise_if_memory

THINNEST = 32  # pixels: the detector's grid; a strip thinner than this holds no line that could be read
DETECTED = 650_000  # pixels that the detector sees: A4 at 82 DPI, where it finds every line of 6-point type
SPARSE = 290_000  # pixels of its second look, A4 at 55 DPI: on a large page it overlooks a line that is all alone
SPARSE_LINES = 8  # a page with more has enough of them to be seen at the first look
PARAMETERS = {
    "Global.log_level": "critical",  # it warns of every page without text
    "Global.use_cls": False,  # its angle classifier turns upright lines upside down
    "Global.text_score": 0.0,  # uncertain lines are kept: the page's score tells
    # The page comes in the size that it is to be read in. Each of these would enlarge a narrow one without a bound.
    "Global.use_preprocess_img": False,
    "Global.use_vertical_padding": False,
    "Det.limit_type": "max",
    "Rec.rec_batch_num": 1,  # a batch is padded to its longest line: on one core that costs time and 250 MiB
    # A slot is a core, and each thread of a pool would reserve address space that the memory cap counts.
    "EngineConfig.onnxruntime.intra_op_num_threads": 1,
    "EngineConfig.onnxruntime.inter_op_num_threads": 1,
}


def recognise(image: Pixels) -> Recognised:
    """Reads one image; see `services.worker.ocr.contract.Engine`."""
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
    """The lines of an image, shrunk to so many pixels to find them; they are read in its full size."""
    numpy = import_module("numpy")
    rgb = numpy.frombuffer(image.rgb, dtype=numpy.uint8).reshape(image.height, image.width, 3)
    long, short = max(image.width, image.height), min(image.width, image.height)
    try:
        model = _looking_at(round(math.sqrt(detected * long / short)))
        found = model(numpy.ascontiguousarray(rgb[:, :, ::-1]))  # the models were taught blue, green, red
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


def _looking_at(side: int) -> Any:
    """The model, whose detector shrinks images to a longest side. It is loaded with the first image."""
    model = _model()
    model.cfg.Det.limit_side_len = side
    if model.text_det is not None:
        model.text_det.limit_side_len = side
    return model


@cache
def _model() -> Any:
    import_module("cv2").setNumThreads(1)
    return import_module("rapidocr").RapidOCR(params=PARAMETERS)
