"""The words by which jobs are found."""
