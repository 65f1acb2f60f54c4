"""What is lost in reading: the words of files, counted without the product's readers, against what the product reads.

    python -m bench.reading FOLDER [--json FILE]

Here: the words of sources by category (`sources`), the reading of a folder by a child process (`folder`, `child`), the
comparison (`verdicts`) and the tables (`tables`).
"""
