"""`sanitrail-agent replace-key`: a new key for this host, while the old one still counts."""

from __future__ import annotations

import click

from agents import assembly, enrolment, errand, keys
from agents.errors import EnrolmentRefused
from agents.runs import RunStore, State
from reports.keys import fingerprint_words

from .common import Common, explained
from .output import answer


@click.command("replace-key")
@click.option("--finish", is_flag=True, help="Take up the new key, once the service knows it.")
@explained
def replace_key_command(common: Common, *, finish: bool) -> None:
    """Give this host a new key. Stop the daemon first.

    Without --finish: makes the key beside the present one, and prints its file and fingerprint. Take the .pub file to the server,
    where `sanitrail keys replace-agent-key` puts it in the place of the old one. Then run this with --finish.

    A stolen key is not replaced but revoked: then enrol again with --new-key.

    Interrupted: run it again. The new key is made once; the old one stays in force here until --finish has heard from the service
    that the new one counts.
    """
    settings = common.settings()
    state = assembly.open_state(settings)
    with state.owned():
        found = enrolment.load(state)
        if found is None:
            raise EnrolmentRefused("This host is not enrolled: run `sanitrail-agent enrol` first.")
        if not finish:
            path = keys.prepare_next(state)
            fingerprint = keys.load_next(state).fingerprint
            document = {"public_key": str(path), "fingerprint": fingerprint}
            answer(common.as_json, document, f"Public key   {path}\nFingerprint  {fingerprint}")
            return
        if not state.path("next.pem").exists():
            raise EnrolmentRefused("No new key was made: run this without --finish first.")
        begun = [run for run in RunStore(state).all() if run.state is State.STARTED]
        if begun or any(state.path("outbox").glob("*.json")):
            raise EnrolmentRefused("Records of the old key are not delivered yet: let the daemon finish them first.")
        fresh = keys.load_next(state)
        with errand.way(settings) as link:
            client = assembly.open_client(found.server, fresh, assembly.open_watch(settings), link)
            reply = client.enrolment()
        if reply.status != "confirmed" or reply.host != found.host:
            raise EnrolmentRefused(f"The service says of the new key: {reply.status}, {reply.host}.")
        keys.take_next(state)
        enrolment.save(state, enrolment.Enrolment(found.server, found.host, "confirmed", fresh.signer.key_id))
    words = fingerprint_words(fresh.signer.key_id)
    answer(common.as_json, {"fingerprint": words}, f"This host signs with its new key: {words}")
