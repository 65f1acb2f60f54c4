"""The state of the installation, for administrators."""
