"""Commands for people who sign facts: witness or second person of a destruction, responsible for a processor's statement."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from inventory.clock import SystemClock, rfc3339
from reports.canonical import from_base64, parse_strict, sha256_hex
from reports.destruction import DestructionFacts
from reports.envelope import sign
from reports.errors import ReportError
from reports.keys import FileSigner
from reports.personal import PersonalSignature
from reports.processor import ProcessorFacts

from .client import Client, client_options
from .common import Refused, json_option, plainly, show


@click.command("sign-facts")
@click.argument("number")
@click.option(
    "--role",
    type=click.Choice(["witness", "countersigner"]),
    help="Of a destruction: whether you witnessed it, or sign as second person.",
)
@click.option(
    "--key",
    "key_file",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Your private key (PEM).",
)
@click.option("--yes", is_flag=True, help="Do not ask before signing.")
@json_option
@client_options
@plainly
def sign_facts(client: Client, number: str, role: str | None, key_file: Path, *, yes: bool, as_json: bool) -> None:
    """Sign the facts of a destruction (DR-...) or of a processor's statement (PS-...) with your own key.

    What you see is read from the facts themselves; a service that showed one thing and asked for a signature under another
    would be refused here.
    """
    signer = FileSigner.load(key_file)
    base = f"/processor-statements/{number}" if role is None else f"/destructions/{number}"
    ready: dict[str, Any] = client.get(f"{base}/signing" + (f"?role={role}" if role else ""))
    payload = from_base64(ready["payload"])
    body = ready["body"]
    if sha256_hex(payload) != body["sha256"] or body["subject"] != number or body["role"] != (role or "responsible"):
        raise Refused(
            "The service asks for a signature under something else than it shows. Do not sign; tell an auditor."
        )
    if signer.key_id not in ready["key_ids"]:
        raise Refused("This key does not stand in the published roster under your name.")
    lines = _statement_lines(payload) if role is None else _destruction_lines(payload)
    click.echo("\n".join([*lines, f"you sign        {body['shown']}"]), err=True)
    if body["said"]:
        click.echo(f"in your words   {body['said']}", err=True)
    if not yes:
        click.confirm("Sign?", abort=True, err=True)
    signed = {**body, "time": rfc3339(SystemClock().now())}
    try:
        PersonalSignature.from_dict(signed)
    except ReportError as error:
        raise Refused("The service asks for a signature under something that is no personal signature.") from error
    message: dict[str, Any] = {"envelope": sign("personal-signature", signed, signer)}
    if role is not None:
        message["role"] = role
    path = f"{base}/signature" if role is None else f"{base}/signatures"
    reply = client.post(path, message) or {"number": number, "role": role, "signed": True}
    show(reply, as_json=as_json, lines=lambda: [f"{number} is signed"])


def _destruction_lines(payload: bytes) -> list[str]:
    try:
        facts = DestructionFacts.from_dict(parse_strict(payload))
    except ReportError as error:
        raise Refused("The service sent something that is no destruction. Do not sign.") from error
    medium = facts.medium
    size = "not stated" if facts.particle_size_mm is None else f"{facts.particle_size_mm} mm or less"
    return [
        f"destruction     {facts.id}",
        f"medium          {' '.join(word for word in (medium.manufacturer, medium.model) if word)}",
        f"serial number   {medium.serial or 'unknown'}, read before as {facts.serial_read or 'nothing'}",
        f"asset tag       {medium.asset_tag or 'none'}",
        f"technique       {facts.technique}, particles {size}",
        f"equipment       {facts.equipment}",
        f"place and time  {facts.place}, {facts.performed}",
        f"operator        {facts.operator.name}",
        *(f"photograph      {digest}" for digest in facts.photographs),
    ]


def _statement_lines(payload: bytes) -> list[str]:
    try:
        facts = ProcessorFacts.from_dict(parse_strict(payload))
    except ReportError as error:
        raise Refused("The service sent something that is no processor's statement. Do not sign.") from error
    counts = facts.counts
    return [
        f"statement       {facts.number}, as of {facts.prepared}",
        f"controller      {facts.controller.name}",
        f"agreement       {facts.agreement.reference}, ended {facts.agreement.ended}",
        f"choice          {facts.choice}",
        f"data sets       {', '.join(facts.data_sets)}",
        f"media           {counts.total}: {counts.sanitized} sanitized, {counts.destroyed} destroyed, {counts.returned} returned",
        *(f"attested        {one.kind}: {one.text}" for one in facts.done),
        *(f"retained        {one.what}: {one.law or 'no law named'}" for one in facts.retained),
        *(f"open            {one.where}: {one.what} {one.why}" for one in facts.open),
        f"complete        {'yes' if facts.complete else 'no'}",
    ]


COMMANDS: tuple[click.Command, ...] = (sign_facts,)
