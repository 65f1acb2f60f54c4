"""The templates that jobs may name."""
