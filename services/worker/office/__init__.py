"""Office Open XML (ISO/IEC 29500): Word documents, presentations and spreadsheets as blocks."""
