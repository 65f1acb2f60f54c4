"""The `pdf` job (contract 4a): opens its document, goes through the parts of its method, puts the result together.

How texts are read and pictures are drawn is in the `pdf_*` modules beside this one.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from typing import Any, cast

from schemas.errors import ErrorCode
from schemas.job_types.parameters import JobParameters
from schemas.job_types.pdf import PdfParameters
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source, open_source, open_url
from services.worker.ocr.contract import Engine
from services.worker.ocr.engines import engine_named
from services.worker.pages import mupdf
from services.worker.processors.pdf import mistral as pdf_mistral
from services.worker.processors.pdf import pictures as pdf_pictures
from services.worker.processors.pdf import texts as pdf_texts
from services.worker.processors.pdf.plan import MethodPlan, TextMethod, pages_of, plan_of, shares
from services.worker.processors.pdf.result import PdfParts, extracted_text, result_of
from services.worker.processors.pdf.selected_pages import Paper, Pass
from services.worker.run.workspace import ReportProgress, Result, Workspace
from services.worker.templates import Languages, Template, apply_template, load, parse

END_MARKER = b"%%EOF"  # ISO 32000-1, 7.5.5
READING = "Extracting text from PDF..."
DRAWING = "Drawing pages..."
DEFAULT_LANGUAGE = "de"  # of a template's fields (contract 4c)
WEIGHTS: dict[TextMethod, int] = {"native": 1, "ocr": 9, "llm": 9, "mistral_ocr": 9}
"""How long a way of reading takes beside another, for progress."""


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Extracts (contract 4a, 5, 6). Raises ProcessingError with the codes of contract 16, BlobStoreError."""
    asked = cast(PdfParameters, parameters)
    report("initializing", 0)
    tools = _tools(asked, workspace)
    report("reading_file", 10)
    with _source(asked, workspace) as source:
        written_ns = source.written_ns
        if asked.file_hash is not None:
            source.require_hash(asked.file_hash)
        earlier = workspace.recall(
            asked, without={"filename", "url", "file_hash"}, content=source.sha256(), **tools.shaping
        )
        if earlier is not None:
            return earlier.renamed({"file_name": source.name})
        result = _Extraction(asked, tools, workspace, report).run(source)
        return replace(result, cacheable=result.cacheable and source.written_ns == written_ns)


@dataclass(frozen=True, slots=True)
class _Tools:
    """What the job needs beside its document, and how that shapes its result."""

    plan: MethodPlan
    engine: Engine | None
    template: Template | None
    shaping: dict[str, str]


def _tools(asked: PdfParameters, workspace: Workspace) -> _Tools:
    """Gets everything that may be lacking before any work is done.

    Raises ProcessingError: OCR_PROVIDER_UNAVAILABLE, TEMPLATE_ERROR.
    """
    plan = plan_of(asked)
    _require_providers(plan, workspace)
    shaping = {"engine": mupdf.ENGINE}
    engine = None
    if "ocr" in plan.texts:
        engine = engine_named(asked.ocr_engine, workspace.limits.ocr_languages)
        shaping["ocr"] = f"rapidocr {version('rapidocr')}" if asked.ocr_engine == "rapidocr" else "tesseract"
        shaping["ocr_languages"] = workspace.limits.ocr_languages
    if "mistral_ocr" in plan.texts:
        shaping["ocr_model"] = workspace.providers.ocr_model
    if "llm" in plan.texts:
        shaping["vision_model"] = workspace.providers.vision_model
    template = None
    if asked.template is not None and plan.takes_template:
        _, text = load(asked.template, workspace.limits.templates_dir)
        template = parse(text)
        shaping |= {
            "template_text": text,
            "chat": workspace.providers.chat_model if workspace.providers.has_chat else "",
        }
    return _Tools(plan, engine, template, shaping)


def _require_providers(plan: MethodPlan, workspace: Workspace) -> None:
    """Raises ProcessingError OCR_PROVIDER_UNAVAILABLE (contract 12): a job never completes for want of a key."""
    missing = [
        ("MISTRAL_API_KEY", "mistral_ocr" in plan.texts and not workspace.providers.has_ocr),
        ("MISTRAL_API_KEY or PIPEROLL_CHAT_URL", "llm" in plan.texts and not workspace.providers.has_chat),
    ]
    for names, lacking in missing:
        if lacking:
            raise ProcessingError(
                ErrorCode.OCR_PROVIDER_UNAVAILABLE,
                f"No provider is configured for this extraction_method: set {names} for the worker, or use another.",
                error_type="NoProviderKey",
            )


def _source(asked: PdfParameters, workspace: Workspace) -> AbstractContextManager[Source]:
    if asked.url is not None:
        return open_url(asked.url, workspace)
    assert asked.filename is not None  # the parameters have one of the two
    return open_source(asked.filename, workspace, END_MARKER)


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    """The document. One that a server called something else than a PDF, and that is none, is refused as that."""
    with ExitStack() as stack:
        try:
            document = stack.enter_context(mupdf.open_pdf(source.path))
        except ProcessingError as error:
            if error.code is not ErrorCode.INVALID_PDF or source.media_type in ("", "application/pdf"):
                raise
            sentence = f"What the url leads to is no PDF but {source.media_type[:100]}."
            raise ProcessingError(ErrorCode.INVALID_PDF, sentence) from error
        yield document


@dataclass(slots=True)
class _Extraction:
    """One run over one document; `parts` grow as it goes."""

    asked: PdfParameters
    tools: _Tools
    workspace: Workspace
    report: ReportProgress
    parts: PdfParts = field(default_factory=PdfParts)

    def run(self, source: Source) -> Result:
        """Goes through the parts in the order of contract 5."""
        with _opened(source) as document:
            pages = pages_of(self.asked, mupdf.page_count(document), self.workspace.limits.max_pages)
            paper = Paper(source, document, pages)
            self._read(paper)
            self._draw(paper)
            self._transform(paper)
            self.report("finalizing", 90)
            self._keep_page_texts()
            return result_of(self.asked, paper, self.parts, self.workspace.target_dir)

    def _read(self, paper: Paper) -> None:
        # What is quick goes first: a document that cannot be read at all costs no call of a provider.
        methods = sorted(self.tools.plan.texts, key=lambda method: WEIGHTS[method])
        spans = shares(30, 60, [WEIGHTS[method] for method in methods])
        read = {}
        for method, (low, high) in zip(methods, spans, strict=True):
            read[method] = self._read_by(method, paper, Pass(self.report, "extracting_text", low, high, READING))
        self.parts.texts += [read[method] for method in self.tools.plan.texts]
        pdf_texts.require_some(self.parts.texts)

    def _read_by(self, method: TextMethod, paper: Paper, going: Pass) -> pdf_texts.Texts:
        match method:
            case "native":
                return pdf_texts.read_native(paper, going)
            case "ocr":
                assert self.tools.engine is not None  # the plan has it
                return pdf_texts.read_ocr(paper, going, self.tools.engine)
            case "llm":
                return pdf_texts.read_llm(paper, going, self.workspace.providers)
            case "mistral_ocr":
                return self._ask_mistral(paper, going)

    def _ask_mistral(self, paper: Paper, going: Pass) -> pdf_texts.Texts:
        archive = pdf_pictures.PagesArchive(paper, self.asked, self.workspace)
        beside = archive.draw() if self.tools.plan.archive else iter(())
        answer = pdf_mistral.ask(paper, self.workspace, going, beside, self._drawing(60, 70))
        texts, warnings = pdf_mistral.texts_of(answer, paper)
        kept = pdf_mistral.keep(answer, self.workspace)
        self.parts.ocr_images = kept.images
        self.parts.files |= kept.files | archive.files
        self.parts.warnings += [*warnings, *archive.warnings()]
        self.parts.mistral = pdf_mistral.about(answer)
        return texts

    def _draw(self, paper: Paper) -> None:
        wanted = [self.asked.include_images, self.tools.plan.previews]
        spans = iter(shares(70 if self.tools.plan.archive else 60, 80, [1] * sum(wanted)))
        if self.asked.include_images:
            self.parts.images = pdf_pictures.keep_page_images(paper, self._drawing(*next(spans)), self.workspace)
        if self.tools.plan.previews:
            self.parts.previews = pdf_pictures.keep_previews(paper, self._drawing(*next(spans)), self.workspace)
            if self.parts.previews.kept:
                self.parts.files["previews_archive"] = pdf_pictures.PREVIEWS_ARCHIVE
            elif not self.tools.plan.texts:
                raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF is damaged: none of its pages can be drawn.")

    def _transform(self, paper: Paper) -> None:
        """Fills the template; the extracted text stays as it is (contract 6)."""
        if self.tools.template is None:
            if self.asked.template is not None:
                self.parts.notes.append(f"The template was not applied: {self.asked.extraction_method} takes none.")
            return
        self.report("applying_template", 80)
        language = self.asked.target_language or DEFAULT_LANGUAGE
        text = extracted_text(self.asked, paper.pages, self.parts.texts)
        transformed = apply_template(
            self.tools.template, text, self.asked.context or {}, Languages(language, language), self.workspace.providers
        )
        self.parts.transformed = {"transformed_text": transformed.text, "template_fields": transformed.fields}
        self.parts.notes += transformed.notes

    def _keep_page_texts(self) -> None:
        """Previews come with a text file for each page (contract 11)."""
        if not (self.tools.plan.previews and self.parts.texts):
            return
        for text in self.parts.texts[0].read:
            name = f"texts/page_{text.page:03d}.txt"
            self.parts.text_paths.append(self.workspace.keep(name, text.text.encode(), "text/plain; charset=utf-8"))

    def _drawing(self, low: int, high: int) -> Pass:
        return Pass(self.report, "processing_images", low, high, DRAWING)
