"""`piperoll dead-letters`: parked records and stopped partitions."""
