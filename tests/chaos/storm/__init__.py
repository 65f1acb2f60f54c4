"""A storm: seeded faults in a running system under a mixed load, then calm, then a verdict about every job."""
