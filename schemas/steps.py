"""The steps of a job's progress and what each says (contract 5). The wording of two is the seed's."""

from collections.abc import Mapping

STEP_MESSAGES: Mapping[str, str] = {
    # pdf
    "initializing": "Preparing the job",
    "reading_file": "Reading the file",
    "extracting_text": "Extracting text from PDF...",
    "processing_images": "Drawing pages",
    "applying_template": "Applying the template",
    "finalizing": "Storing the results",
    "completed": "Processing completed",
    # session
    "fetching_page": "Fetching the page",
    "downloading_media": "Downloading the media",
    "processing_video": "Transcribing the video",
    "processing_attachments": "Reading the attachments",
    "generating_markdown": "Writing the Markdown",
    # transformer
    "loading_template": "Loading the template",
    "transforming_text": "Transforming the text",
    # extraction and generation
    "reading_document": "Reading the text of the document",
    "generating_text": "Writing the text",
    # transcription and embedding
    "transcribing": "Transcribing the speech",
    "embedding": "Computing the vectors of the chunks",
    # sync and import
    "listing_source": "Listing the source",
    "copying_files": "Taking in files",
}


def step_message(step: str) -> str:
    """What a step says; a step of a later release says its own name."""
    return STEP_MESSAGES.get(step, step.replace("_", " "))
