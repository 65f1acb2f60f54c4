"""Local OCR engines by name. `rapidocr` needs nothing installed; Tesseract must be installed on the worker."""

from services.worker.ocr.contract import Engine, EngineName


def engine_named(name: EngineName, languages: str) -> Engine:
    """The engine of that name. `languages` are Tesseract's (`deu+eng`); rapidocr's model reads Latin script as it is.

    Raises ProcessingError OCR_PROVIDER_UNAVAILABLE when it is not installed, or not for these languages.
    """
    if name == "tesseract":
        from services.worker.ocr.tesseract import Tesseract

        return Tesseract(languages)
    from services.worker.ocr.rapid import recognise

    return recognise
