"""Passwords of drives in custody: what there is, and how a person gets one to unlock a drive."""

from __future__ import annotations

from inventory.api.dispatch import Call
from inventory.api.endpoint import READERS, Noun, people
from inventory.contract.v1.escrows import EscrowReveal
from inventory.contract.v1.vocabulary import Key
from inventory.domain.roles import Permission
from inventory.errors import Invalid, NotFound, SetupError
from inventory.services import custody
from inventory.services.views import EscrowSecretView, EscrowView

noun = Noun(
    "custody", "Passwords agents have given to drives, kept here so that no drive stays locked without a way out."
)


@noun.get("/escrows/{escrow}", "One password in custody", READERS, raises=(NotFound,))
def get_escrow(call: Call, escrow: Key) -> EscrowView:
    """What it is for and what became of it; never the password. A device lists its own."""
    return custody.escrow(call.context, call.actor, escrow)


@noun.post(
    "/escrows/{escrow}/reveal",
    "Reveal a password",
    people(Permission.ESCROW_REVEAL),
    secret_reply=True,
    raises=(NotFound, Invalid, SetupError),
)
def reveal_escrow(call: Call, escrow: Key, body: EscrowReveal) -> EscrowSecretView:
    """To unlock the drive by the recovery procedure. Each time is an event in the drive's history, with the reason."""
    return custody.reveal(call.context, call.actor, custody.Reveal(escrow=escrow, reason=body.reason))
