"""The finished pages of jobs, also while they run."""
