"""From bytes to characters: declared encodings, byte order marks, and guesses, which always warn. Pure."""
