"""The requests that are posted: content, tokens, signatures."""
