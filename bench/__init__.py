"""Measures Piperoll on this machine: throughput, latency, CPU and memory by process, what a job leaves in the stores.

Run by `make bench`. A measurement, never a test: nothing here passes or fails. Talks to 127.0.0.1 only.
"""
