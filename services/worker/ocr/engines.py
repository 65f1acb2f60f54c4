"""Local OCR engines by name. `rapidocr` is included; Tesseract must be installed on the worker."""

from importlib.metadata import version

from services.worker.ocr.contract import READING, Engine, EngineName


def engine_named(name: EngineName, languages: str) -> Engine:
    """Return the engine. `languages` are Tesseract's (`deu+eng`); rapidocr's model recognises Latin script.

    Raises ProcessingError OCR_PROVIDER_UNAVAILABLE when the engine or one of the languages is not installed.
    """
    if name == "tesseract":
        from services.worker.ocr.tesseract import Tesseract

        return Tesseract(languages)
    from services.worker.ocr.rapid import recognise

    return recognise


def described(name: EngineName) -> str:
    """Return what determines the text of an image besides the image, for the cache."""
    return f"{name} {version(name)}, reading {READING}" if name == "rapidocr" else f"{name}, reading {READING}"
