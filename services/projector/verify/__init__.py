"""`piperoll verify`: the tables compared with the log."""
