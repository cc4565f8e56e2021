"""Every reason for which an agent does not follow a new roster: one class a reason; the pinned one stays in force. Pure."""

from __future__ import annotations

from .errors import AgentError


class RosterRefused(AgentError):
    """A new roster does not follow from the pinned one; the pinned one stays in force."""

    code = "roster-refused"
    sentence = "The new roster is refused."
    fault = "the service, or whoever made the roster"
    advice = "Have the roster signed by a quorum of the people on the roster before it."


class RosterMalformed(RosterRefused):
    """The envelope does not hold a usable roster."""

    code = "roster-malformed"
    sentence = "The roster is not well formed."


class RosterOutOfOrder(RosterRefused):
    """Its version or the digest of its predecessor does not continue the pinned one."""

    code = "roster-out-of-order"
    sentence = "The roster does not continue the pinned one."


class RosterQuorumMissing(RosterRefused):
    """Fewer people of the previous roster signed than it demands."""

    code = "roster-quorum-missing"
    sentence = "Too few people of the previous roster signed the new one."

    def __init__(self, needed: int, given: int) -> None:
        super().__init__(f"{given} of {needed}.")
        self.needed = needed
        self.given = given


class RosterNotConfirmed(RosterRefused):
    """It is not the roster whose digest a person compared."""

    code = "roster-not-confirmed"
    sentence = "This is not the roster whose digest was compared."
