"""The log as requests use it: appending facts, and reading its end offsets."""
