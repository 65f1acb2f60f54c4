"""The system from the outside: HTTP, webhooks, commands."""
