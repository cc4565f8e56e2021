"""`python -m sanitizer.cli`."""

from . import main

main(prog_name="sanitizer")
