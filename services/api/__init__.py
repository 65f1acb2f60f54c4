"""Accepts and answers: appends facts and reads the read model. Runs no work, sends no webhook."""
