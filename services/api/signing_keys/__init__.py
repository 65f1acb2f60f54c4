"""The keys that sign an owner's webhooks."""
