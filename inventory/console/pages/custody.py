"""A drive's password in custody: shown to whoever must unlock the drive, with the reason kept for good."""

from __future__ import annotations

from flask import abort, url_for

from inventory.console.blueprint import Reply, form
from inventory.console.formatting import coded
from inventory.console.language.speaking import words
from inventory.console.sheets import Sheet, reason
from inventory.console.views.device import crumbs_of
from inventory.console.web import actor, here, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.errors import InventoryError
from inventory.services import custody as service
from inventory.services import queries


@form("/devices/<device>/custody/<escrow>", Permission.ESCROW_REVEAL)
def custody(device: str, escrow: str) -> Reply:
    """Reveal a password: asked for with a reason, shown by this very answer, never by an address."""
    found = queries.device(here(), actor(), device)
    kept = next((one for one in found.escrows if one.id == escrow), None)
    if kept is None:
        abort(404)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why; it stands in the drive's history for good.")
        if typed.ok:
            try:
                revealed = service.reveal(here(), actor(), service.Reveal(escrow=kept.id, reason=why))
            except InventoryError as error:
                typed.refused(error)
            else:
                return show("custody.html", device=found, escrow=revealed.escrow, secret=revealed)
    return show_sheet(
        Sheet(
            title="Reveal the drive's password",
            submit="Reveal it",
            lead=found.label,
            crumbs=crumbs_of(found.id, found.asset_tag),
            back=url_for("console.device", device=found.id),
            tone="danger",
            warning=True,
            consequences=(
                "The password is shown once by the next page; whoever has it can unlock this drive and read what is on it.",
                "That you saw it, when and why stands in the drive's history for good.",
            ),
            facts=(("Custody", kept.id), ("Order", kept.order), ("What to do with it", coded(words(kept.recovery)))),
            fields=(reason("Such as: the run failed and the drive is locked on the bench."),),
        ),
        typed,
    )
