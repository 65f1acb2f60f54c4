"""Input files: opening, type detection, limits of archives, storage as documents."""
