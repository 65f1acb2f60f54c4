"""The confinement of processes that read foreign files: what they may reach, and the kernel's means that enforce it."""
