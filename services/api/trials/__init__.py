"""Tests of webhooks on request."""
