"""The `pdf` job: run the parts of the extraction method (docs/contract/secretary.md#pdf-parameters)."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Final, cast

from pydantic import TypeAdapter

from schemas.blocks import Block
from schemas.errors import ErrorCode
from schemas.job_types.parameters import JobParameters
from schemas.job_types.pdf import BEGUN, DRAWN, READ, PdfParameters
from services.worker.blocks.outputs import written
from services.worker.errors import ProcessingError
from services.worker.files.sources import Source, open_source, open_url
from services.worker.layout.reading import READING as READING_OF_LAYOUT
from services.worker.layout.reading import structure_of
from services.worker.ocr.contract import Engine
from services.worker.ocr.engines import described, engine_named
from services.worker.pages import annotations, mupdf
from services.worker.pages.attachments import joined
from services.worker.processors.pdf import mistral as pdf_mistral
from services.worker.processors.pdf import pictures as pdf_pictures
from services.worker.processors.pdf import texts as pdf_texts
from services.worker.processors.pdf.finished import FinishedPages
from services.worker.processors.pdf.plan import MethodPlan, TextMethod, named, pages_of, plan_of, shares
from services.worker.processors.pdf.result import PdfParts, extracted_text, page_blocks, pages_to_structure, result_of
from services.worker.processors.pdf.searchable import NOT_MADE, SearchablePdf
from services.worker.processors.pdf.selected_pages import PassProgress, SelectedPages
from services.worker.run.page_care import nothing_left_out, raise_if_memory_alone, skipped_pages
from services.worker.run.workspace import ALL_PAGES, ReportProgress, Result, Workspace
from services.worker.templates import Languages, Template, TransformedText, apply_template, load, parse

END_MARKER = b"%%EOF"  # ISO 32000-1, 7.5.5
READING = "Extracting text from PDF..."
DRAWING = "Drawing pages..."
STRUCTURE = "Finding the structure..."
LAYER = "Making the PDF searchable..."
TRANSFORMED: Final = TypeAdapter(TransformedText)
DEFAULT_LANGUAGE = "de"  # of a template's fields (docs/contract/secretary.md#transformer-parameters)
WEIGHTS: dict[TextMethod, int] = {"native": 1, "ocr": 9, "llm": 9, "mistral_ocr": 9}
"""The relative duration of the methods, for progress."""


def process(parameters: JobParameters, workspace: Workspace, report: ReportProgress) -> Result:
    """Run the job (docs/contract/secretary.md#steps, #results). Raises ProcessingError, BlobStoreError."""
    params = cast(PdfParameters, parameters)
    report("initializing", 0)
    tools = _tools(params, workspace)
    report("reading_file", 10)
    with _source(params, workspace) as source:
        written_ns = source.written_ns
        if params.file_hash is not None:
            source.require_hash(params.file_hash)
        earlier = workspace.recall(
            params, without={"filename", "url", "file_hash"}, content=source.sha256(), **tools.shaping
        )
        if earlier is not None:
            return earlier.renamed({"file_name": source.name})
        result = _Extraction(params, tools, workspace, report).run(source)
        return replace(result, cacheable=result.cacheable and nothing_left_out() and source.written_ns == written_ns)


@dataclass(frozen=True, slots=True)
class _Tools:
    """What the job needs besides its document, and what of it determines the result."""

    plan: MethodPlan
    engine: Engine | None
    template: Template | None
    shaping: dict[str, str]


def _tools(params: PdfParameters, workspace: Workspace) -> _Tools:
    """Load all that may be missing first. Raises ProcessingError: OCR_PROVIDER_UNAVAILABLE, TEMPLATE_ERROR."""
    plan = plan_of(params)
    _require_providers(plan, workspace)
    shaping = {"engine": mupdf.ENGINE}
    if params.output is not None:
        shaping["layout"] = READING_OF_LAYOUT
    engine = None
    if "ocr" in plan.texts or params.searchable_pdf:
        engine = engine_named(params.ocr_engine, workspace.limits.ocr_languages)
        shaping["ocr"] = described(params.ocr_engine)
        shaping["ocr_languages"] = workspace.limits.ocr_languages
    if "mistral_ocr" in plan.texts:
        shaping["ocr_model"] = workspace.providers.ocr_model
    if "llm" in plan.texts:
        shaping["vision_model"] = workspace.providers.vision_model
    template = None
    if params.template is not None and plan.takes_template:
        _, text = load(params.template, workspace.limits.templates_dir)
        template = parse(text)
        shaping |= {
            "template_text": text,
            "chat": workspace.providers.chat_model if workspace.providers.has_chat else "",
        }
    return _Tools(plan, engine, template, shaping)


def _require_providers(plan: MethodPlan, workspace: Workspace) -> None:
    """Raise OCR_PROVIDER_UNAVAILABLE when a provider is not configured (docs/contract/secretary.md#mistral)."""
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


def _source(params: PdfParameters, workspace: Workspace) -> AbstractContextManager[Source]:
    if params.url is not None:
        return open_url(params.url, workspace)
    assert params.filename is not None  # the parameters have one of the two
    return open_source(params.filename, workspace, END_MARKER)


@contextmanager
def _opened(source: Source) -> Iterator[Any]:
    """Open the document. The error for a download that is not a PDF names the media type that the server declared."""
    with ExitStack() as stack:
        try:
            document = stack.enter_context(mupdf.open_pdf(source.path))
        except ProcessingError as error:
            if error.code is not ErrorCode.INVALID_PDF or source.media_type in ("", "application/pdf"):
                raise
            sentence = f"The file at the url is {source.media_type[:100]}, not a PDF."
            raise ProcessingError(ErrorCode.INVALID_PDF, sentence) from error
        yield document


@dataclass(slots=True)
class _Extraction:
    """One run over one document; `parts` collects the intermediate results."""

    params: PdfParameters
    tools: _Tools
    workspace: Workspace
    report: ReportProgress
    parts: PdfParts = field(default_factory=PdfParts)
    searchable: SearchablePdf | None = None

    def run(self, source: Source) -> Result:
        """Run the parts in the order of docs/contract/secretary.md#steps."""
        with _opened(source) as document:
            pages = pages_of(self.params, mupdf.page_count(document), self.workspace.limits.max_pages)
            selected = SelectedPages(source, document, pages)
            self.searchable = SearchablePdf(document) if self.params.searchable_pdf else None
            self._read(selected)
            of_pages = (annotations.of_page(document, number) for number in pages)
            self.parts.attached = joined([annotations.of_document(document), *of_pages])
            self._draw(selected)
            self._keep_searchable(selected)
            self._transform(selected)
            self.report("finalizing", 90)
            self._keep_page_texts()
            self._write(selected)
            self.parts.skipped = [page for page in skipped_pages() if page in pages]
            return result_of(self.params, selected, self.parts, self.workspace.target_dir)

    def _read(self, selected: SelectedPages) -> None:
        # Fast methods first, so that an unreadable document costs no provider call.
        methods = sorted(self.tools.plan.texts, key=lambda method: WEIGHTS[method])
        spans = shares(BEGUN, READ, [WEIGHTS[method] for method in methods])
        read = {}
        finished = FinishedPages(self.tools.plan.texts, self.workspace.finish)
        for method, (low, high) in zip(methods, spans, strict=True):
            progress = PassProgress(self.report, "extracting_text", low, high, READING)
            read[method] = self._read_by(method, selected, progress, finished.read)
            finished.add(read[method])
        self.parts.texts += [read[method] for method in self.tools.plan.texts]
        pdf_texts.require_some(self.parts.texts)

    def _read_by(
        self, method: TextMethod, selected: SelectedPages, progress: PassProgress, on_read: pdf_texts.OnRead
    ) -> pdf_texts.Texts:
        match method:
            case "native":
                return pdf_texts.read_native(selected, progress, on_read)
            case "ocr":
                assert self.tools.engine is not None  # the plan has it
                return pdf_texts.read_ocr(
                    selected, progress, self.workspace, self.tools.engine, on_read, self.searchable
                )
            case "llm":
                return pdf_texts.read_llm(selected, progress, self.workspace, on_read)
            case "mistral_ocr":
                return self._ask_mistral(selected, progress, on_read)

    def _ask_mistral(
        self, selected: SelectedPages, progress: PassProgress, on_read: pdf_texts.OnRead
    ) -> pdf_texts.Texts:
        archive = pdf_pictures.PagesArchive(selected, self.params, self.workspace)
        drawn = archive.draw() if self.tools.plan.archive else iter(())
        answer = pdf_mistral.ask(selected, self.workspace, progress, drawn, self._drawing(60, 70))
        texts, warnings = pdf_mistral.texts_of(answer, selected)
        by_page = {text.page: text for text in texts.read}
        for number in selected.pages:
            on_read("mistral_ocr", number, by_page.get(number))
        kept = pdf_mistral.keep(answer, self.workspace)
        self.parts.ocr_images = kept.images
        self.parts.files |= kept.files | archive.files
        self.parts.warnings += [*warnings, *archive.warnings()]
        self.parts.mistral = pdf_mistral.about(answer)
        return texts

    def _draw(self, selected: SelectedPages) -> None:
        wanted = [self.params.include_images, self.tools.plan.previews]
        spans = iter(shares(70 if self.tools.plan.archive else READ, DRAWN, [1] * sum(wanted)))
        if self.params.include_images:
            self.parts.images = pdf_pictures.keep_page_images(selected, self._drawing(*next(spans)), self.workspace)
        if self.tools.plan.previews:
            self.parts.previews = pdf_pictures.keep_previews(selected, self._drawing(*next(spans)), self.workspace)
            if self.parts.previews.kept:
                self.parts.files["previews_archive"] = pdf_pictures.PREVIEWS_ARCHIVE
            elif not self.tools.plan.texts:
                raise_if_memory_alone()
                raise ProcessingError(ErrorCode.INVALID_PDF, "The PDF is damaged: none of its pages can be drawn.")

    def _keep_searchable(self, selected: SelectedPages) -> None:
        if self.searchable is None:
            return
        if "ocr" not in self.tools.plan.texts:
            assert self.tools.engine is not None  # _tools loads it for a searchable PDF
            progress = PassProgress(self.report, "extracting_text", 80, 80, LAYER)
            self.searchable.read(selected, self.tools.engine, self.workspace, progress)
        self.parts.searchable = self.searchable.keep(self.workspace)
        if self.parts.searchable is None:
            self.parts.warnings.append(NOT_MADE)

    def _transform(self, selected: SelectedPages) -> None:
        """Fill the template; the extracted text is not changed (docs/contract/secretary.md#results)."""
        if self.tools.template is None:
            if self.params.template is not None:
                self.parts.notes.append(f"The template was not applied: {self.params.extraction_method} supports none.")
            return
        self.report("applying_template", 80)
        if self.workspace.providers.has_chat:
            self.workspace.publish()  # the model's answer may take long
        language = self.params.target_language or DEFAULT_LANGUAGE
        text = extracted_text(self.params, selected.pages, self.parts.texts)
        context, providers = self.params.context or {}, self.workspace.providers
        work = partial(apply_template, self.tools.template, text, context, Languages(language, language), providers)
        transformed = self.workspace.resume("template", ALL_PAGES, work, TRANSFORMED)
        assert transformed is not None  # the work returns one
        self.parts.transformed = {"transformed_text": transformed.text, "template_fields": transformed.fields}
        self.parts.notes += transformed.notes

    def _keep_page_texts(self) -> None:
        """Keep a text file for each page if there are previews (docs/contract/secretary.md#archives)."""
        if not (self.tools.plan.previews and self.parts.texts):
            return
        for text in self.parts.texts[0].read:
            name = f"texts/page_{text.page:03d}.txt"
            self.parts.text_paths.append(self.workspace.keep(name, text.text.encode(), "text/plain; charset=utf-8"))

    def _write(self, selected: SelectedPages) -> None:
        """Write the document in the form that the job asks for (docs/blocks.md)."""
        if self.params.output is None:
            return
        title = " ".join((selected.document.metadata or {}).get("title", "").split())
        blocks = page_blocks(selected.pages, self.parts.texts, self._structure(selected))
        output = written(self.params.output, title, "page", blocks)
        self.parts.document = output
        self.parts.document_paths = (self.workspace.keep(output.name, output.content, output.media_type),)

    def _structure(self, selected: SelectedPages) -> Mapping[int, tuple[Block, ...]]:
        if self.params.output == "text":
            return {}
        progress = PassProgress(self.report, "finalizing", 90, 98, STRUCTURE)
        pages = pages_to_structure(self.parts.texts)

        def on_page(number: int) -> None:
            done = number - selected.pages[0]
            progress.update(done / len(selected.pages), done + 1, len(selected.pages))

        structure = structure_of(selected.source.path, pages, self.workspace.resume, on_page)
        self.parts.warnings += structure.notes(named)
        return structure.blocks

    def _drawing(self, low: int, high: int) -> PassProgress:
        return PassProgress(self.report, "processing_images", low, high, DRAWING)
