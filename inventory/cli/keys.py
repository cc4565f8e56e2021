"""Ceremonies of keys. What is done on an offline machine needs nothing but the verifier's packages."""

from __future__ import annotations

import os
import secrets as randomness
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from reports import ceremony, root_keys
from reports.canonical import to_base64
from reports.errors import UnsafeKeyFile
from reports.keys import fingerprint_words
from reports.trust_body import Role, TimeAuthority

from .common import Refused, config_option, json_option, opened, plainly, show
from .key_changes import CHANGES

if TYPE_CHECKING:
    from inventory.services.keys import Proposed, Published

_FILE = click.Path(dir_okay=False, path_type=Path)
_THERE = click.Path(exists=True, dir_okay=False, path_type=Path)
_ROLES = click.Choice(["log", "acceptance", "enrolment", "seal-authority"])
_passphrase_option = click.option(
    "--passphrase-file", type=_THERE, help="Read the passphrase from the first line of this file instead of asking."
)


@click.group("keys")
def keys_group() -> None:
    """Keys: the offline root, the service's own keys, and those of agents and approvers.

    \b
    On an offline machine:   new-root-key, show, sign
    On the server:           list, propose, publish, rotate, retire-root-key,
                             revoke, expire, affected, replace-agent-key, replace-approver-key

    docs/keys.md walks through each ceremony. Every command may be repeated after it was cut off.
    """  # noqa: D301 - click reads the control character \\b as: do not rewrap


@keys_group.command("new-root-key")
@click.argument("file", type=_FILE)
@_passphrase_option
@json_option
@plainly
def new_root_key(file: Path, passphrase_file: Path | None, *, as_json: bool) -> None:
    """Make a root key in FILE, closed by a passphrase. On an offline machine.

    Prints the key's fingerprint: write it on paper, two people compare it later. The public half stands beside it as .pub;
    only that one travels.

    Interrupted: run it again with the same FILE. A key that is there is kept, and its public half written if it is missing.
    """
    if file.exists():
        signer = root_keys.publish(file, _passphrase(passphrase_file))
        made = "kept"
    else:
        signer = root_keys.create(file, _passphrase(passphrase_file, new=True))
        made = "new"
    public = root_keys.public_path(file)
    show(
        {"key": str(file), "public": str(public), "fingerprint": signer.key_id, "made": made},
        as_json=as_json,
        lines=lambda: [
            f"{'Root key' if made == 'new' else 'This root key was there already'}: {file}",
            f"Public half (may travel): {public}",
            "Fingerprint, to write down:",
            f"  {fingerprint_words(signer.key_id)}",
        ],
    )


@keys_group.command("show")
@click.argument("file", type=_THERE)
@json_option
@plainly
def show_proposal(file: Path, *, as_json: bool) -> None:
    """Say in plain words what a proposed trust root changes, and who has signed it.

    Reads only; nothing can be interrupted.
    """
    proposal = ceremony.read_proposal(file.read_bytes())
    said, done = ceremony.words(proposal), ceremony.progress(proposal)
    value = {"changes": said, "signed": list(done.signed), "complete": done.complete, "may_sign": list(done.may_sign)}
    show(value, as_json=as_json, lines=lambda: [*said, "", *done.words()])


@keys_group.command("sign")
@click.argument("file", type=_THERE)
@click.option("--key", required=True, type=_THERE, help="Your root key's file.")
@_passphrase_option
@plainly
def sign(file: Path, key: Path, passphrase_file: Path | None) -> None:
    """Read what a proposed trust root changes, and sign it with your root key. On an offline machine.

    The signature is added to FILE. Two people may sign copies of it side by side; `publish` puts them together.

    Interrupted: run it again. FILE is replaced whole or not at all, and signing twice changes nothing.
    """
    proposal = ceremony.read_proposal(file.read_bytes())
    for line in ceremony.words(proposal):
        click.echo(line)
    click.echo()
    if click.prompt("Sign exactly this? Type yes", default="no", show_default=False).strip().lower() != "yes":
        raise Refused("Nothing was signed.")
    signer = root_keys.load(key, _passphrase(passphrase_file))
    signed = ceremony.sign_proposal(proposal, signer)
    _replace(file, signed.to_bytes())
    click.echo(f"Signed by {fingerprint_words(signer.key_id)}")
    for line in ceremony.progress(signed).words()[len(signed.signatures) :]:
        click.echo(line)


@keys_group.command("propose")
@click.option("--out", required=True, type=_FILE, help="The file that travels to the root keys.")
@click.option(
    "--root-key",
    "root_key_files",
    multiple=True,
    type=_THERE,
    help="A .pub file; name all root keys of the next version.",
)
@click.option("--threshold", type=click.IntRange(1, 16), help="How many of them must sign later versions.")
@click.option("--rotate", "rotated", multiple=True, type=_ROLES, help="Replace a key of the service; may be repeated.")
@click.option(
    "--stolen",
    multiple=True,
    metavar="ROLE=INDEX",
    help="Replace acceptance or enrolment; nothing counts that the old key signed from this log index on.",
)
@click.option("--overlap", type=click.IntRange(1, 10**9), help="Log entries for which a replaced key still counts.")
@click.option("--witness", "witnesses", multiple=True, metavar="VKEY", help="Add a witness's verifier key.")
@click.option("--remove-witness", "removed_witnesses", multiple=True, metavar="NAME", help="Remove a witness.")
@click.option("--quorum", type=click.IntRange(0, 16), help="How many different witnesses make a state witnessed.")
@click.option(
    "--time-authority",
    "authorities",
    multiple=True,
    metavar="NAME=CA.pem[@POLICY]",
    help="Add a time-stamp authority by its certificates, or change it; with an object identifier its stamps must name it.",
)
@click.option("--remove-time-authority", "removed_authorities", multiple=True, metavar="NAME", help="Remove one.")
@config_option
@plainly
def propose(out: Path, config: Path | None, **options: Any) -> None:  # noqa: ANN401 - the options, read in one place
    """Write the next version of the trust root to a file, for the root keys to sign. On the server.

    New keys of the service are made; they count for nothing before the version is published. Where the service holds the root key
    itself, it signs at once.

    Interrupted: run it again. Keys that were made are used again. Publish or throw away one proposal before you make another:
    only one can follow the version in force.
    """
    from inventory.services import keys as ceremonies  # noqa: PLC0415 - brings the database along

    context = opened(config)
    try:
        proposed = ceremonies.propose(context, _changes(options))
    finally:
        context.database.close()
    _replace(out, proposed.proposal.to_bytes())
    _say_proposed(proposed, out)


@keys_group.command("publish")
@click.argument("files", nargs=-1, required=True, type=_THERE)
@config_option
@json_option
@plainly
def publish(files: tuple[Path, ...], config: Path | None, *, as_json: bool) -> None:
    """Put a signed trust root into force; several copies, signed side by side, are put together. On the server.

    It is logged, and the service signs with the keys it names from then on, also one that is running.

    Interrupted: run it again with the same files. Either nothing has changed, or the version is in force and this says so.
    """
    from inventory.services import keys as ceremonies  # noqa: PLC0415

    context = opened(config)
    try:
        published = ceremonies.publish(context, [file.read_bytes() for file in files])
    finally:
        context.database.close()
    show(
        {"version": published.version, "pin": published.pin, "already": published.already},
        as_json=as_json,
        lines=lambda: _published_words(published),
    )


@keys_group.command("rotate")
@click.argument("what", type=click.Choice(["log", "acceptance", "enrolment", "seal"]))
@click.option(
    "--stolen-from", type=click.IntRange(0), help="Nothing counts that the old key signed from this log index on."
)
@click.option("--overlap", type=click.IntRange(1, 10**9), help="Log entries for which the old key still counts.")
@click.option("--revoke", metavar="NAME", help="With seal: also revoke this sealing certificate (see `keys list`).")
@click.option("--out", type=_FILE, help="Where the proposal goes, if root keys elsewhere must sign it.")
@config_option
@plainly
def rotate(
    what: str, stolen_from: int | None, overlap: int | None, revoke: str | None, out: Path | None, config: Path | None
) -> None:
    """Replace a key of the service. On the server.

    log, acceptance, enrolment: the next trust root names the new key. Where the service holds the root key itself, this is
    done at once; otherwise a proposal is written to --out for the root keys to sign. The log keeps its name and its entries.

    seal: a new sealing certificate, at once.

    Interrupted: run it again. Before the trust root is published nothing has changed; a second sealing certificate does no harm.
    """
    from inventory.services import keys as ceremonies  # noqa: PLC0415

    if what == "seal" and (stolen_from, overlap, out) != (None, None, None):
        raise click.UsageError("seal takes --revoke only.")
    if revoke is not None and what != "seal":
        raise click.UsageError("--revoke goes with seal.")
    if stolen_from is not None and what == "log":
        raise click.UsageError("What a log key signed is bounded by witnesses and agents, not by an index.")
    context = opened(config)
    try:
        if what == "seal":
            click.echo(f"New sealing key and certificate: {ceremonies.rotate_seal(context, revoke=revoke)}")
            return
        stolen = (f"{what}={stolen_from}",) if stolen_from is not None else ()
        proposed = ceremonies.propose(context, _changes({"rotated": (what,), "stolen": stolen, "overlap": overlap}))
        if proposed.progress.complete:
            for line in _published_words(ceremonies.publish(context, [proposed.proposal.to_bytes()])):
                click.echo(line)
            return
    finally:
        context.database.close()
    if out is None:
        raise Refused(
            "Root keys elsewhere must sign this: name a file for the proposal with --out. Nothing has changed."
        )
    _replace(out, proposed.proposal.to_bytes())
    _say_proposed(proposed, out)


@keys_group.command("retire-root-key")
@config_option
@plainly
def retire_root_key(config: Path | None) -> None:
    """Delete the root key that the service holds, once an offline root is in force. On the server.

    Backups hold it too: destroy them, or keep them as carefully as the root keys themselves.

    Interrupted: run it again.
    """
    from inventory.services import keys as ceremonies  # noqa: PLC0415

    context = opened(config)
    try:
        there = ceremonies.retire_root_key(context)
    finally:
        context.database.close()
    click.echo("The service's root key is deleted." if there else "The service holds no root key.")


def _say_proposed(proposed: Proposed, out: Path) -> None:
    for line in (*proposed.words, "", *proposed.progress.words(), "", f"Written to {out}"):
        click.echo(line)
    click.echo(
        "Next: " + ("sanitrail keys publish" if proposed.progress.complete else "sanitrail keys sign") + f" {out}"
    )


def _published_words(published: Published) -> list[str]:
    found = [
        f"Version {published.version} of the trust root {'was in force already' if published.already else 'is in force'}.",
        "Its pin, for new contracts and the web site (the earlier pins stay good):",
        f"  {fingerprint_words(published.pin)}",
    ]
    if published.root_key_held:
        found.append("The service still holds a former root key: sanitrail keys retire-root-key")
    return found


def _changes(options: dict[str, Any]) -> Any:  # noqa: ANN401 - ceremonies.Changes, which is loaded late
    from inventory.services.keys import OVERLAP, Changes  # noqa: PLC0415

    files: tuple[Path, ...] = options.get("root_key_files", ())
    return Changes(
        root_keys=tuple(root_keys.read_public(file.read_bytes()) for file in files) or None,
        threshold=options.get("threshold"),
        rotate=frozenset(options.get("rotated", ())),
        stolen=dict(_stolen(text) for text in options.get("stolen", ())),
        overlap=options.get("overlap") or OVERLAP,
        add_witnesses=tuple(options.get("witnesses", ())),
        remove_witnesses=frozenset(options.get("removed_witnesses", ())),
        quorum=options.get("quorum"),
        set_authorities=tuple(_authority(text) for text in options.get("authorities", ())),
        remove_authorities=frozenset(options.get("removed_authorities", ())),
    )


def _stolen(text: str) -> tuple[Role, int]:
    name, _, index = text.partition("=")
    role = next((role for role in get_args(Role) if role == name), None)
    if role is None or not index.isascii() or not index.isdigit():
        raise click.UsageError("--stolen is acceptance=INDEX or enrolment=INDEX.")
    return role, int(index)


def _authority(text: str) -> TimeAuthority:
    from cryptography import x509  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415

    name, _, rest = text.partition("=")
    place, _, policy = rest.partition("@")
    try:
        found = x509.load_pem_x509_certificates(Path(place).read_bytes())
    except (OSError, ValueError) as error:
        raise click.UsageError(f"--time-authority {name}: {place} holds no certificates in PEM.") from error
    certificates = tuple(to_base64(one.public_bytes(Encoding.DER)) for one in found)
    return TimeAuthority(name=name, certificates=certificates, policy=policy)


def _passphrase(file: Path | None, *, new: bool = False) -> str:
    if file is not None:
        with file.open(encoding="utf-8") as lines:
            return lines.readline().rstrip("\r\n")
    if not sys.stdin.isatty() and new:
        raise UnsafeKeyFile("the new key", "a passphrase is asked for at a terminal, or read with --passphrase-file")
    if new:
        click.echo(
            f"Choose a passphrase of at least {root_keys.LEAST_PASSPHRASE} characters: five words drawn by dice."
        )
    found: str = click.prompt("Passphrase", hide_input=True, confirmation_prompt=new)
    return found


def _replace(path: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    draft = path.with_name(f".{path.name}.{randomness.token_hex(4)}")
    with draft.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


for _command in CHANGES:
    keys_group.add_command(_command)

COMMANDS: tuple[click.Command, ...] = (keys_group,)
