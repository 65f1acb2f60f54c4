"""Numbers as cells and charts show them: the number formats of ISO/IEC 29500-1, 18.8.31."""
