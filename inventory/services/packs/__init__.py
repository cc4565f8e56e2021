"""Audit packs: what a scope holds, told in one signed ZIP that is made while it is sent."""
