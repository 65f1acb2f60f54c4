"""Measure Piperoll on this machine; `python -m bench --help` lists the parts. A measurement, not a test."""
