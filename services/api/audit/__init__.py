"""The audit: who changed keys, and who read or erased content (docs/contract/additions.md#audit)."""
