"""One's own approver keys: made in this browser or from a file; the private half never reaches the service."""

from __future__ import annotations

from flask import url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.forms import Form
from inventory.console.sheets import Sheet, reason
from inventory.console.web import actor, form_status, go, here, names, perform, posted, received, show, show_sheet
from inventory.domain.roles import Permission
from inventory.domain.vocabulary import KeyState
from inventory.errors import Conflict, NotFound, SeparationOfDuty
from inventory.services import approver_passkeys, approvers
from inventory.services.views import ApproverKeyView

from .presence import attestation_of, options_of


@page("/keys", Permission.APPROVER_KEY_REGISTER)
def keys_page() -> Reply:
    """Keys of mine: what is registered, what this browser holds."""
    return _show(Form.starting())


def _show(typed: Form) -> Reply:
    asked = approver_passkeys.create_options(here(), actor()) if actor().session_id else None
    return show(
        "keys.html", form_status(typed), keys=approvers.list_keys(here(), actor(), person=actor().ref), form=typed,
        passkey=options_of(asked),
    )  # fmt: skip


@act("/keys/passkey", Permission.APPROVER_KEY_REGISTER)
def register_approver_passkey() -> Reply:
    """Register a passkey to approve with; the browser has made it."""
    typed = received()
    made = attestation_of(typed)
    if made is None:
        return _show(typed)

    def deed() -> AnyResponse:
        approver_passkeys.register(here(), actor(), made)
        return go("keys", said="key-registered")

    return perform(typed, deed) or _show(typed)


@act("/keys/register", Permission.APPROVER_KEY_REGISTER)
def register_key() -> Reply:
    """Register a public key this page's script made or read from a file."""
    typed = received()
    public_key = typed.value("public_key").strip()
    if not public_key:
        typed.sentence = "No key came with this form. Keys are made in your browser: allow scripts for this page."
        typed.status = 422

    def deed() -> AnyResponse:
        approvers.register_key(here(), actor(), approvers.RegisterKey(public_key=public_key))
        return go("keys", said="key-registered")

    return perform(typed, deed) or _show(typed)


def _key(key_id: str) -> ApproverKeyView:
    found = next((key for key in approvers.list_keys(here(), actor()) if key.key_id == key_id), None)
    if found is None:
        raise NotFound("approver key", key_id)
    return found


@form("/keys/<key>/confirm", Permission.APPROVER_KEY_CONFIRM)
def confirm_key(key: str) -> Reply:
    """Compare a key's fingerprint with its owner, then confirm it."""
    found = _key(key)
    typed, obstacle = received(), _why_not_to_confirm(found)
    if posted():
        if not obstacle and not typed.has("compared", "yes"):
            typed.fail("compared", "Tick that you have compared the fingerprint with the key's owner.")

        def deed() -> AnyResponse:
            approvers.confirm_key(here(), actor(), found.key_id)
            return go("roster", said="key-confirmed")

        done = perform(typed, deed)
        if done is not None:
            return done
    return show(
        "confirm-key.html", form_status(typed), key=found, form=typed, owner=names()(found.person), obstacle=obstacle
    )


def _why_not_to_confirm(key: ApproverKeyView) -> str:
    """Why this reader has nothing to confirm here; empty where they have. The service decides by the same."""
    if key.state is not KeyState.REGISTERED:
        return Conflict(f"This key is {key.state}, not waiting for confirmation.").sentence
    own = key.person == actor().ref
    return SeparationOfDuty("confirm the key", "registered the key").sentence if own else ""


@form("/keys/<key>/revoke", None)
def revoke_key(key: str) -> Reply:
    """A key counts no more: by its owner, or by an administrator."""
    found = _key(key)
    typed = received()
    own = found.person == actor().ref
    back = "keys" if own and actor().may(Permission.APPROVER_KEY_REGISTER) else "roster"
    if found.state is KeyState.REVOKED and not posted():
        return go(back)  # which shows that it is
    if posted():
        why = typed.text("reason", "Say why.")

        def deed() -> AnyResponse:
            approvers.revoke_key(here(), actor(), found.key_id, why)
            return go(back, said="key-revoked")

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title="Revoke a key",
            submit="Revoke the key",
            tone="danger",
            warning=True,
            crumbs=(("Roster and keys", url_for("console.roster")),),
            back=url_for(f"console.{back}"),
            fingerprint=found.key_id,
            consequences=(
                "A signed key event enters the log; it cannot be taken back.",
                "Approvals by it that no agent has acted upon count no more.",
                "Agents trust the roster: it must be renewed without this key.",
            ),
            fields=(reason(),),
        ),
        typed,
    )
