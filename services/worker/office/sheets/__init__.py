"""Spreadsheets as blocks, sheet by sheet."""
