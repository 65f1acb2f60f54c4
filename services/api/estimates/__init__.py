"""`/api/jobs/estimate`: what a job would take, before it is created."""
