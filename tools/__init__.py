"""Tools for the people who work on Sanitrail; nothing here is installed."""
