"""Emulated drives. They judge the product, so they import nothing of it; only `ports.py` knows its interfaces."""
