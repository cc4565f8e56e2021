"""Identify, plan, sanitize and verify Linux block devices. No network, no database, no certificate."""
