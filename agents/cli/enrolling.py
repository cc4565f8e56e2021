"""`enrol` and `pin-roster`: the two moments at which a person decides whom this host believes."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from typing import Any, TextIO

import click

from agents import assembly, enrolment, errand, host, keys
from agents.client import Service
from agents.config import check_server
from agents.enrolment import Enrolment, Proposal
from agents.errors import ConfigInvalid, EnrolmentRefused
from agents.pins import Pins, PinStore
from agents.state import StateDirectory

from .common import Common, explained
from .output import answer, grouped

_START = "Start it: systemctl enable --now sanitrail-helper sanitrail-carrier"
_NEXT = {
    "pending": f"Next: an administrator confirms this fingerprint in the console. {_START}",
    "confirmed": f"Confirmed. {_START}",
    "rejected": "The service turned this host away.",
}


@click.command("enrol")
@click.option("--server", help="The service's address, https://... (plain http only to this machine).")
@click.option("--token-file", type=click.File("r"), help="File with the one-time token; - reads standard input.")
@click.option("--token", help="The token itself; others on this host can see it while the command runs.")
@click.option("--trust-root", metavar="DIGEST", help="The one your organisation publishes; enrols without asking.")
@click.option("--roster", metavar="DIGEST", help="The one the approvers agreed on; pins it without asking.")
@click.option("--new-key", is_flag=True, help="Make a new key: the old one was revoked, or may be known to others.")
@click.option("--wait", type=click.FloatRange(min=0), default=0.0, help="Seconds to wait for the confirmation.")
@explained
def enrol_command(
    common: Common,
    server: str | None,
    token_file: TextIO | None,
    token: str | None,
    trust_root: str | None,
    roster: str | None,
    new_key: bool,
    wait: float,
) -> None:
    """Make this host known to a service, and pin whom it believes.

    An administrator of the service makes the one-time token. Compare the digests this command shows with those your
    organisation publishes, and have the administrator compare this host's fingerprint in the console. A host that pins
    a stranger's trust root obeys the stranger.
    """
    settings = common.settings(server=server)
    if not settings.server:
        raise ConfigInvalid("server", "give --server, or set it in the settings file")
    secret = (token_file.read() if token_file else token or "").strip()
    if not secret:
        raise ConfigInvalid("token", "give --token-file or --token")
    state = assembly.open_state(settings)
    with state.owned(), ExitStack() as ending:
        own = keys.load_or_create(state, renew=new_key, uri=settings.key_uri or None)
        link = ending.enter_context(errand.way(settings))
        client = assembly.open_client(settings.server, own, assembly.open_watch(settings), link)
        described = host.describe(state, own.signer.key_id)
        proposal = enrolment.propose(client, check_server(settings.server), secret, own, described)
        pins = _compared(proposal, trust_root, roster, ask=not common.as_json and sys.stdin.isatty())
        found = enrolment.accept(state, PinStore(state), proposal, pins)
        found = _wait(client, state, found, wait)
    answer(common.as_json, _document(proposal, pins, found), _text(proposal, pins, found))
    sys.exit(5 if found.status == "rejected" else 0)


def _compared(proposal: Proposal, trust_root: str | None, roster: str | None, *, ask: bool) -> Pins:
    """The pins a person agreed to: by digests given beforehand, or by looking at them now."""
    if trust_root is not None:
        return enrolment.compare(proposal, trust_root, roster)
    pin = proposal.pins.trust.pin
    if not ask:
        raise EnrolmentRefused(
            f"The service's trust root is {pin}. Compare it with the one your organisation publishes, then repeat this "
            "with --trust-root."
        )
    click.echo(f"Service: {proposal.server}\nTrust root:\n{grouped(pin)}")
    click.confirm("Is this the trust root your organisation publishes?", abort=True)
    digest = roster
    if roster is None and proposal.roster is not None:
        people = ", ".join(person.ref for person in proposal.roster.roster.people)
        version = proposal.roster.roster.version
        click.echo(f"Roster of approvers, version {version}: {people}\n{grouped(proposal.roster.sha256)}")
        if click.confirm("Is this the roster they agreed on? (no: pin it later, with pin-roster)"):
            digest = proposal.roster.sha256
    return enrolment.compare(proposal, pin, digest)


def _wait(client: Service, state: StateDirectory, found: Enrolment, seconds: float) -> Enrolment:
    deadline = time.monotonic() + seconds
    while found.status == "pending" and time.monotonic() < deadline:
        time.sleep(min(1.0, max(0.0, deadline - time.monotonic())))
        found = Enrolment(found.server, found.host, client.enrolment().status, found.key_id)
        enrolment.save(state, found)
    return found


def _document(proposal: Proposal, pins: Pins, found: Enrolment) -> dict[str, Any]:
    return {
        "host": found.host,
        "status": found.status,
        "server": found.server,
        "fingerprint": proposal.keys.fingerprint,
        "key_id": found.key_id,
        "trust_root": pins.pin,
        "roster": None if pins.roster is None else pins.roster.sha256,
        "offered_roster": None if proposal.roster is None else proposal.roster.sha256,
    }


def _text(proposal: Proposal, pins: Pins, found: Enrolment) -> str:
    roster = "none pinned: this host takes no orders until `sanitrail-agent pin-roster DIGEST` is run"
    if pins.roster is not None:
        roster = f"version {pins.roster.roster.version}, pinned"
    return (
        f"Host         {found.host} at {found.server}: {found.status}\n"
        f"Fingerprint  {proposal.keys.fingerprint}\n"
        f"Roster       {roster}\n"
        f"{_NEXT[found.status]}"
    )


@click.command("pin-roster")
@click.argument("digest")
@explained
def pin_roster_command(common: Common, digest: str) -> None:
    """Pin the roster of approvers whose DIGEST the approvers agreed on.

    Needed once, where there was no roster yet when this host enrolled. Later rosters follow by themselves, signed by a
    quorum of the pinned one. May be run while the daemon runs.
    """
    settings = common.settings()
    state = assembly.open_state(settings)
    own, enrolled = assembly.require_enrolled(state)
    pins = PinStore(state)
    pins.require()
    with errand.way(settings) as link:
        client = assembly.open_client(enrolled.server, own, assembly.open_watch(settings), link)
        chain = [envelope.model_dump() for envelope in client.rosters(0).rosters]
    pinned = pins.pin_roster(chain, "".join(digest.split()).lower())
    people = [person.ref for person in pinned.roster.people]
    document = {"roster": pinned.sha256, "version": pinned.roster.version, "people": people}
    answer(common.as_json, document, f"Pinned roster version {pinned.roster.version}: {', '.join(people)}")
