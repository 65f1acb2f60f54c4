"""Examples of requests and answers for the OpenAPI document. None of them is served as an answer."""

from typing import Any

Json = dict[str, Any]

JOB_ID = "job-6f1c2b0e-8c1f-4a43-9b54-0f6d1c9f2a77"
BATCH_ID = "batch-0b9f6a4e-51c2-4a0f-8f0d-2d5c8b1f7e10"
TIME = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T00:05:00Z"
PARAMETERS: Json = {"url": "https://example.com/file.pdf", "extraction_method": "native"}

JOB_REQUEST: Json = {"job_type": "pdf", "parameters": PARAMETERS, "user_id": "optional-user-id"}
BATCH_REQUEST: Json = {"batch_name": "My Batch", "jobs": [{"job_type": "pdf", "parameters": PARAMETERS}]}

CREATED_JOB: Json = {
    "job_id": JOB_ID,
    "job_type": "pdf",
    "status": "pending",
    "created_at": TIME,
    "parameters": PARAMETERS,
}
JOB: Json = {
    **CREATED_JOB,
    "status": "completed",
    "updated_at": LATER,
    "progress": {"step": "completed", "percent": 100, "message": "Processing completed"},
    "attempt": 1,
    "archived": False,
    "processing_started_at": TIME,
    "completed_at": LATER,
    "access_control": {"visibility": "private", "read_access": [], "write_access": [], "admin_access": []},
}
WHOLE_JOB: Json = {
    **JOB,
    "results": {
        "structured_data": {"extracted_text": "--- Seite 1 ---\n…", "metadata": {"page_count": 1}},
        "assets": ["/path/to/results/images/page_001.jpg"],
        "asset_urls": [f"/api/jobs/{JOB_ID}/files/images/page_001.jpg"],
        "target_dir": "/path/to/results",
    },
    "logs": [{"timestamp": TIME, "level": "info", "message": "Job started"}],
}
CANCELLED_JOB: Json = {
    **JOB,
    "status": "failed",
    "progress": {"step": "error", "percent": 30, "message": "The job was cancelled."},
    "error": {"code": "CANCELLED", "message": "The job was cancelled.", "details": {"reason": "not needed"}},
    "logs": [{"timestamp": LATER, "level": "warning", "message": "The job was cancelled."}],
}
BATCH: Json = {
    "batch_id": BATCH_ID,
    "batch_name": "My Batch",
    "status": "completed",
    "job_count": 1,
    "completed_count": 1,
    "failed_count": 0,
    "total_jobs": 1,
    "completed_jobs": 1,
    "failed_jobs": 0,
    "pending_jobs": 0,
    "processing_jobs": 0,
    "created_at": TIME,
    "updated_at": LATER,
    "completed_at": LATER,
    "archived": False,
    "isActive": True,
}
NEW_BATCH: Json = {**BATCH, "status": "pending", "completed_count": 0, "jobs": [CREATED_JOB]}
WHOLE_BATCH: Json = {**BATCH, "jobs": [{"job_id": JOB_ID, "status": "completed"}]}
EVENTS: Json = {
    "events": [
        {"sequence": 1, "position": "3:1207", "type": "piperoll.JobCreated.v1", "time": TIME, "data": {"priority": 5}}
    ],
    "next": 1,
}
DELIVERIES: Json = {
    "deliveries": [
        {
            "time": LATER,
            "outcome": "delivered",
            "delivery_id": "msg_0d6c7e",
            "phase": "completed",
            "attempt": 1,
            "status": 200,
            "duration_ms": 12,
        },
        {
            "time": LATER,
            "outcome": "requested",
            "delivery_id": "msg_0d6c7e",
            "phase": "completed",
            "request": "5f0c9a526d1e4b8a9c578e2b1a7d4f60",
            "by": "local",
        },
    ]
}
UPLOAD: Json = {
    "file_id": "file-7d0f6c2a-1f1e-4f0e-9a3c-1b2c3d4e5f60",
    "filename": "upload://file-7d0f6c2a-1f1e-4f0e-9a3c-1b2c3d4e5f60/file.pdf",
    "size": 20481,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "media_type": "application/pdf",
}
STREAM = (
    "event: progress\n"
    f'data: {{"phase":"running","message":"Extracting text from PDF...","job":{{"id":"{JOB_ID}"}},'
    f'"process":{{"id":"{JOB_ID}","main_processor":"pdf"}},"data":{{"progress":45}}}}\n'
    "id: 4\n\n"
)
OCR_RAW: Json = {
    "pages": [{"index": 0, "markdown": "# Title", "images": []}],
    "model": "mistral-ocr-latest",
    "usage_info": {"pages_processed": 1, "doc_size_bytes": 20481},
}
ACCEPTED: Json = {
    "status": "accepted",
    "worker": "secretary",
    "process": {"id": JOB_ID, "main_processor": "pdf", "started": TIME, "is_from_cache": False},
    "job": {"id": "client_job_id"},
    "webhook": {"delivered_to": "https://example.com/webhook"},
    "error": None,
}
PROCESSED: Json = {
    **ACCEPTED,
    "status": "success",
    "data": {"extracted_text": "--- Seite 1 ---\n…", "metadata": {"page_count": 1}},
}
