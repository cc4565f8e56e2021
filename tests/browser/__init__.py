"""The console in a real browser. `python -m tests.browser.screenshots OUT` makes the pictures."""
