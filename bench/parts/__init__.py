"""The parts of the measurement; each returns tables of RESULTS.md."""
