"""The paths of contract 2, a file per noun. Routes are thin: they read the request, ask one part, and answer."""
