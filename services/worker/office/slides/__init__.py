"""Presentations as blocks, slide by slide."""
