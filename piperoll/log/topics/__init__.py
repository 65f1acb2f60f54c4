"""The topics themselves: created, compared with the manifest, and set back."""
