"""What may go wrong between a script and the service; each says whether anything may have changed."""

from __future__ import annotations

from inventory.contract.v1.problems import Problem


class Refused(Exception):
    """The service refused, and nothing has changed.

    Attributes:
        problem: what it said (RFC 9457), with a stable `code`.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        lines = [f"{problem.detail} [{problem.code}]", *(f"  {one.pointer}: {one.message}" for one in problem.errors)]
        super().__init__("\n".join(lines))

    @property
    def code(self) -> str:
        """Stable; programs decide by it, never by the words."""
        return self.problem.code


class Unreachable(Exception):
    """No answer, or none of this service's.

    Attributes:
        changed: `no` where nothing can have changed, `maybe` where the request may have arrived: look before asking again.
    """

    def __init__(self, server: str, cause: str, *, changed: str) -> None:
        self.changed = changed
        words = "Nothing has changed." if changed == "no" else "It may have taken effect: look before asking again."
        super().__init__(f"{server} did not answer as a Sanitrail service ({cause}). {words}")
