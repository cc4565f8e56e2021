"""Errors of this room: a reply that is not what the standard says it is, and a capture nobody can read."""

from sanitizer.errors import CaptureUnusable, MalformedReply

__all__ = ["CaptureUnusable", "MalformedReply"]
