"""From what services answer to what a page shows. Frozen values in, frozen values out; no database, no request."""
