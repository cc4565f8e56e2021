"""What stands against a technique, as sentences for a person (without full stop). Pure; unknown is a reason like any other."""

from __future__ import annotations

from collections.abc import Iterable

from sanitizer.capability import Capabilities, SanitizePhase, Tri

FAILED = frozenset({SanitizePhase.FAILED, SanitizePhase.FAILED_RESTRICTED, SanitizePhase.FAILED_UNRESTRICTED})
_BUSY = "a sanitize operation is in progress on the drive; it cannot be stopped and must be settled first"


def reasons(found: Iterable[str | None]) -> tuple[str, ...]:
    """The sentences, each once, in order; None where a check found nothing."""
    return tuple(dict.fromkeys(sentence for sentence in found if sentence))


def must(value: Tri, what: str) -> str | None:
    """A thing the drive has to have: "the block erase command"."""
    if value is Tri.YES:
        return None
    return f"the drive does not have {what}" if value is Tri.NO else f"whether the drive has {what} is unknown"


def must_not(value: Tri, is_so: str, what: str) -> str | None:
    """A state the drive must not be in; `what` completes "whether ... is unknown"."""
    if value is Tri.NO:
        return None
    return is_so if value is Tri.YES else f"whether {what} is unknown"


def no_interface(words: str) -> str:
    """The drive was not reached by the commands a technique needs."""
    return f"the drive did not answer {words}, so nothing is known of what it can do"


def sanitize_allowed(capabilities: Capabilities) -> str | None:
    """Whether a new sanitize operation may begin; after a failed one it may, in the restricted mode, the only one we use."""
    standing = capabilities.standing
    if standing is None or standing.phase is SanitizePhase.UNKNOWN:
        return "where the drive's own sanitize operation stands is unknown, so nobody could tell its end"
    if standing.phase is SanitizePhase.IN_PROGRESS:
        return _BUSY
    if standing.phase is SanitizePhase.FROZEN:
        return "the drive's sanitize commands are frozen until it is powered off and on"
    return None


def not_sanitizing(capabilities: Capabilities) -> str | None:
    """A drive that sanitizes itself, or failed to, takes no other command that changes the medium."""
    standing = capabilities.standing
    if standing is None:
        return None  # the drive knows no sanitize, so it cannot be in the middle of one
    if standing.phase is SanitizePhase.IN_PROGRESS:
        return _BUSY
    if standing.phase in FAILED:
        return "an earlier sanitize operation failed, and the drive accepts nothing but another one"
    if standing.phase is SanitizePhase.UNKNOWN:
        return "where the drive's own sanitize operation stands is unknown"
    return None


def not_write_protected(value: Tri) -> str | None:
    """A write-protected medium refuses the command; where that is unknown the drive's own answer decides."""
    return "the medium is write-protected" if value is Tri.YES else None


def not_opal_locked(capabilities: Capabilities) -> str | None:
    """A range locked by Opal refuses to be sanitized and to be formatted (TCG Storage Interface Interactions Specification).

    In failure mode a drive answers no question about it, and another sanitize is the only way out: then its own answer decides.
    """
    opal, standing = capabilities.opal, capabilities.standing
    if opal is None or Tri.NO in {opal.locking_enabled, opal.locked}:
        return None
    if opal.locked is Tri.UNKNOWN and standing is not None and standing.phase in FAILED:
        return None
    return must_not(
        opal.locked, "the drive is locked by Opal; have its owner unlock it first", "the drive is locked by Opal"
    )
