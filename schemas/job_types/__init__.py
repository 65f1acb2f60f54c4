"""The job types: one module each, with the parameters of the type and its declaration. Pure, below all services."""
