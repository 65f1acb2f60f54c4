"""The processor time of a child, its sandboxes and what these started. Reads /proc."""

import psutil


def processor_seconds(pid: int) -> float:
    """The seconds that a process and its descendants, also ended ones, have computed; 0 for one that has ended."""
    try:
        first = psutil.Process(pid)
        processes = (first, *first.children(recursive=True))
    except psutil.Error:
        return 0.0
    return sum(map(_computed, processes))


def _computed(process: psutil.Process) -> float:
    try:
        return sum(process.cpu_times()[:4])  # of it and of its ended children, in the program and in the kernel
    except psutil.Error:
        return 0.0
