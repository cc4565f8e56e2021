"""Commands for approvers: their key stays in their own file; what is signed is shown and checked here, not believed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from inventory.clock import SystemClock, rfc3339
from inventory.contract.v1.orders import Approval, Roster, SealedOrder
from inventory.domain.techniques import plan_words
from reports.canonical import from_base64, parse_strict, sha256_hex, to_base64
from reports.envelope import sign, sign_payload
from reports.keys import FileSigner, fingerprint_words

from .client import Client, client_options
from .common import Refused, json_option, plainly, show

_KEY = click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your private key (PEM).",
)
_YES = click.option("--yes", is_flag=True, help="Do not ask before signing.")


@click.group("approver-key")
def approver_key() -> None:
    """Your own signing key. The service never sees its private half."""


@approver_key.command("new")
@click.argument("file", type=click.Path(path_type=Path))
@json_option
@plainly
def new_key(file: Path, *, as_json: bool) -> None:
    """Make a P-256 key in FILE (0600, never overwritten) and print its fingerprint and public half."""
    signer = FileSigner.create(file, "p256")
    _show_key(signer, as_json=as_json)


@approver_key.command("show")
@_KEY
@json_option
@plainly
def show_key(key_file: Path, *, as_json: bool) -> None:
    """Print fingerprint and public half of a key."""
    _show_key(FileSigner.load(key_file), as_json=as_json)


def _show_key(signer: FileSigner, *, as_json: bool) -> None:
    value = {
        "key_id": signer.key_id,
        "fingerprint": fingerprint_words(signer.key_id),
        "public_key": to_base64(signer.public_key_der),
    }
    show(value, as_json=as_json, lines=lambda: [f"{name:<12} {text}" for name, text in value.items()])


@approver_key.command("register")
@_KEY
@json_option
@client_options
@plainly
def register_key(client: Client, key_file: Path, *, as_json: bool) -> None:
    """Register the public half as yours; then compare fingerprints with an administrator."""
    signer = FileSigner.load(key_file)
    reply: dict[str, Any] = client.post("/approver-keys", {"public_key": to_base64(signer.public_key_der)})
    show(reply, as_json=as_json, lines=lambda: [f"registered; fingerprint {fingerprint_words(signer.key_id)}"])


@click.command()
@click.argument("order")
@_KEY
@_YES
@json_option
@client_options
@plainly
def approve(client: Client, order: str, key_file: Path, *, yes: bool, as_json: bool) -> None:
    """Approve ORDER: show what its sealed bytes say, sign their digest with your key, hand the signature in.

    What you see is read from the sealed bytes themselves; a service that showed one order and asked for a signature
    under another would be refused here.
    """
    signer = FileSigner.load(key_file)
    ready: dict[str, Any] = client.get(f"/orders/{order}/signing")
    payload = from_base64(ready["payload"])
    sealed = _sealed(payload)
    if (
        sealed.id != order
        or sha256_hex(payload) != ready["order_sha256"]
        or ready["body"]["order_sha256"] != sha256_hex(payload)
    ):
        raise Refused(
            "The service asks for a signature under something else than this order. Do not approve; tell an auditor."
        )
    if signer.key_id not in ready["key_ids"]:
        raise Refused("This key does not stand in the published roster under your name.")
    click.echo("\n".join(_facts(sealed)), err=True)
    click.echo(f"you sign        {ready['shown']}", err=True)
    if not yes:
        click.confirm("Sign and approve?", abort=True, err=True)
    body = {
        "schema": "sanitrail/approval/1",
        "decision": "approve",
        "order_id": sealed.id,
        "order_sha256": sha256_hex(payload),
        "approver": ready["approver"],
        "shown": ready["shown"],
        "time": rfc3339(SystemClock().now()),
    }
    Approval.model_validate(body)
    reply: dict[str, Any] = client.post(f"/orders/{order}/approvals", {"envelope": sign("approval", body, signer)})
    show(
        reply,
        as_json=as_json,
        lines=lambda: [
            f"{reply['id']} is {reply['state']}: {reply['approvals_given']} of {reply['approvals_required']} given"
        ],
    )


def _sealed(payload: bytes) -> SealedOrder:
    try:
        parse_strict(payload)
        return SealedOrder.model_validate_json(payload)
    except (ValueError, ValidationError) as error:
        raise Refused("The service sent something that is no sealed order. Do not approve.") from error


def _facts(sealed: SealedOrder) -> list[str]:
    plan = sealed.plan
    also = (*plan.acknowledged_signatures, *plan.acknowledged_scope)
    among = f", among them {', '.join(sealed.approval_roles)}" if sealed.approval_roles else ""
    return [
        f"order           {sealed.id}",
        f"medium          {sealed.device_label}",
        f"fingerprint     {fingerprint_words(sealed.device)}",
        f"plan            {plan.method} by {plan.technique} ({plan.pattern_set}), verification {plan.verification}",
        *(f"                {label}: {words}" for label, words in plan_words(plan.model_dump())[1:]),
        f"destroys also   {', '.join(also) or 'nothing else'}",
        f"policy demands  {sealed.required_method}, verification {sealed.required_verification} ({sealed.policy_id})",
        f"agent           {fingerprint_words(sealed.agent_key)}",
        f"requested by    {sealed.requested_by}: {sealed.reason}",
        f"approvals       {sealed.approvals_required} needed{among}",
        f"expires         {sealed.expires.isoformat()}",
    ]


@click.group()
def roster() -> None:
    """The list of people whose approvals agents believe."""


@roster.command("sign")
@_KEY
@_YES
@json_option
@client_options
@plainly
def sign_roster(client: Client, key_file: Path, *, yes: bool, as_json: bool) -> None:
    """Show the proposed roster, sign exactly its bytes with your key, hand the signature in."""
    signer = FileSigner.load(key_file)
    proposal: dict[str, Any] = client.get("/roster/proposal")
    payload = from_base64(proposal["payload"])
    try:
        parse_strict(payload)
        body = Roster.model_validate_json(payload)
    except (ValueError, ValidationError) as error:
        raise Refused("The service sent something that is no roster.") from error
    if sha256_hex(payload) != proposal["sha256"] or body.version != proposal["version"]:
        raise Refused("The service shows one roster and asks for a signature under another.")
    lines = [
        f"roster          version {body.version}, after {body.previous or 'none'}",
        f"digest          {proposal['sha256']}",
    ]
    lines += [
        f"next roster     {body.quorum} of {len(body.people)} sign; an order needs {body.minimum_approvals} approvals or more"
    ]
    lines += [
        f"person          {person.ref}  {fingerprint_words(person.key_id)}  {', '.join(person.roles)}"
        for person in body.people
    ]
    click.echo("\n".join(lines), err=True)
    if not yes:
        click.confirm("Sign this roster?", abort=True, err=True)
    envelope = sign_payload("roster", payload, signer)
    reply: dict[str, Any] = client.post(f"/roster/{body.version}/signatures", {"envelope": envelope})
    show(
        reply,
        as_json=as_json,
        lines=lambda: [f"roster {reply['version']} is {reply['state']}; digest {reply['sha256']}"],
    )


COMMANDS: tuple[click.Command, ...] = (approver_key, approve, roster)
