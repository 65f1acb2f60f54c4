"""OpenDocument files (ODF 1.3, ISO/IEC 26300) as blocks."""
