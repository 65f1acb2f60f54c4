"""Small PDFs of our own, made when a test needs them."""

from pathlib import Path

import pymupdf


def pdf(path: Path, pages: int = 3, password: str | None = None) -> Path:
    """A PDF whose page N says "This is page N."; answers its path."""
    document = pymupdf.open()
    for number in range(1, pages + 1):
        page = document.new_page()
        page.insert_text((72, 72), f"This is page {number}.")
        page.draw_rect(pymupdf.Rect(72, 100, 200, 150), fill=(0.2, 0.4, 0.6))
    if password:
        document.save(path, encryption=pymupdf.PDF_ENCRYPT_AES_256, user_pw=password, owner_pw=password)
    else:
        document.save(path)
    document.close()
    return path
