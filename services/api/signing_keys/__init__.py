"""The keys that sign the webhooks of an owner's jobs."""
