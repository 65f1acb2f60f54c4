"""Characters that local OCR reads wrongly, by angle, resolution and language of pages whose text is known."""

import io
import math
from pathlib import Path
from time import process_time
from typing import Any, Final, NamedTuple

from PIL import Image, ImageDraw, ImageFont

from bench.report import Table
from services.worker.ocr.rapid import recognise
from services.worker.pages.drawing import Pixels
from services.worker.pages.mupdf import pymupdf

POINTS: Final = 11  # the size of the type
LINES: Final = 16
CHARACTERS: Final = 70  # of a line
MARGIN: Final = 0.6  # inches
ANGLES: Final = (0.0, 90.0, 180.0, 270.0, 1.0, 3.0, 7.0, 15.0, 30.0, 183.0)
RESOLUTIONS: Final = (300, 200, 150, 120, 100, 72)
TEXTS: Final = {
    "English": "The tenant pays the rent on the third working day, and keeps the stairs clean; repairs cost 125.50. ",
    "German": "Die Größe der Küche beträgt 12,5 m²; der Mieter übernimmt Öl, Gas und Wärme bis Ende März. ",
    "French": "L'élève a reçu sa clé à midi; où est passée la forêt? Ça coûte 15 € à Noël, peut-être moins. ",
    "Spanish": "El niño llegó mañana por la tarde; ¿cuánto cuesta el corazón de piña? Según él, 30 céntimos. ",
    "Polish": "Żółta łódź płynie wzdłuż rzeki; ćma śpi, gęś krzyczy, źrebię pije wodę ze studni. ",
    "Czech": "Příliš mnoho lidí čeká před úřadem; děti si hrají u řeky a kůň běží přes most. ",
    "Turkish": "Çocuk ılık suyu içti; güneş dağın ardına düştü, şehir sessiz, ağaçlar yeşil. ",
    "Russian": "Жилец платит за дом в третий день месяца; ключи лежат у соседа, а письма ждут ответа. ",
    "Greek": "Ο ένοικος πληρώνει το νοίκι την τρίτη μέρα του μήνα· τα κλειδιά είναι στον γείτονα. ",
    "Chinese": "租客在每月的第三个工作日支付租金，并保持楼梯清洁。修理费用由房东承担。",
    "Japanese": "借り主は毎月三日に家賃を払い、階段をきれいに保ちます。修理は大家が行います。",
}
WIDE: Final = frozenset({"Chinese", "Japanese"})


class _Page(NamedTuple):
    """A drawn page and its text."""

    image: Any
    text: str


async def measure(data: Path) -> Table:
    """Read a page for each row. Nothing is written to `data`."""
    rows = [_row(f"English, 200 DPI, turned by {angle:g}°", _page("English", 200), angle) for angle in ANGLES]
    rows += [_row(f"English, {dpi} DPI", _page("English", dpi), 0) for dpi in RESOLUTIONS]
    rows += [_row(f"{name}, 200 DPI", _page(name, 200), 0) for name in TEXTS if name != "English"]
    note = (
        f"A page of {LINES} lines of {POINTS}-point type, drawn with the fonts of PyMuPDF, read by rapidocr with the "
        "models of its wheel. The error rate is the edit distance between the text drawn and the text read, in order, "
        "for each character drawn; spaces and ends of lines count as one. The score is the engine's own."
    )
    return Table("Errors of OCR", ("Page", "error rate", "score", "CPU s"), rows, note)


def _row(name: str, page: _Page, angle: float) -> tuple[str, ...]:
    image = page.image.rotate(-angle, expand=True, fillcolor="white", resample=Image.Resampling.BICUBIC)
    began = process_time()
    found = recognise(Pixels(image.width, image.height, image.tobytes()))
    spent = process_time() - began
    return name, f"{error_rate(page.text, found.text):.2%}", f"{found.score or 0:.3f}", f"{spent:.1f}"


def _page(language: str, dpi: int) -> _Page:
    font_name = "cjk" if language in WIDE else "helv"
    size = POINTS * dpi / 72
    font = ImageFont.truetype(io.BytesIO(pymupdf.Font(font_name).buffer), size)
    lines = _lines(TEXTS[language], CHARACTERS // (2 if language in WIDE else 1))
    margin, step = round(MARGIN * dpi), 1.5 * size
    width = 2 * margin + math.ceil(max(font.getlength(line) for line in lines))
    image = Image.new("RGB", (width, 2 * margin + math.ceil(step * len(lines))), "white")
    drawing = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        drawing.text((margin, margin + number * step), line, font=font, fill="black")
    return _Page(image, "\n".join(lines))


def _lines(text: str, characters: int) -> list[str]:
    """Return full lines of a text that is repeated; broken at spaces, if it has any."""
    lines: list[str] = []
    rest = text * (2 + LINES * characters // len(text))
    while len(lines) < LINES:
        end = rest.rfind(" ", 0, characters) if " " in text else characters
        lines.append(rest[:end].strip())
        rest = rest[end:].lstrip()
    return lines


def error_rate(drawn: str, read: str) -> float:
    """Return the edit distance between two texts, for each character of the first one."""
    wanted, got = " ".join(drawn.split()), " ".join(read.split())
    before = list(range(len(got) + 1))
    for row, one in enumerate(wanted, 1):
        after = [row]
        for column, other in enumerate(got, 1):
            after.append(min(before[column] + 1, after[-1] + 1, before[column - 1] + (one != other)))
        before = after
    return before[-1] / max(1, len(wanted))
