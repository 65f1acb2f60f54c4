"""The HTTP API: appends facts to the log and reads the read model. Jobs run in workers; the notifier posts webhooks."""
