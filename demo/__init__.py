"""The whole mission on a scratch disk, told live. Uses only what a user has: the four commands and the public API."""
