"""Checks a run's evidence, from the pinned trust root to the certificate (or the report of an unsuccessful run). Pure.

The order of the checks is the order of trust: nothing is read from a statement before it is known who made it, except what is
needed to find the keys to check it with.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from . import certificate, claims, drive_words, links
from .appointed import open_rosters
from .bundle import DestructionBundle, Logged, UnsuccessfulRunBundle
from .by_hand_words import by_hand_words
from .canonical import from_base64
from .enrolled import KeyDirectory
from .envelope import envelope_digest, open_envelope, signer_ids
from .errors import BrokenChain, MalformedDocument
from .health_words import health_words
from .orders import Roster
from .self_test_words import self_test_words
from .statements import Certificate, UnsuccessfulRun
from .times import for_people, parse_instant
from .tlog import (
    LogKind,
    leaf_hash,
    log_entry,
    verify_consistency,
    verify_inclusion,
)
from .tlog.checkpoint import Checkpoint
from .trust import TrustRoot
from .verdict import judge
from .verify_anchor import AnchorChecks
from .verify_steps import Fact, Step


def check_logged(item: Logged, kind: LogKind, checkpoint: Checkpoint) -> None:
    """Raise `BrokenChain` unless the envelope is in the log that the checkpoint signs, as an entry of this kind."""
    leaf = leaf_hash(log_entry(kind, envelope_digest(item.envelope)))
    if item.index == 0 and kind != "trust-root":
        raise BrokenChain("log", "entry 0 is the trust root, nothing else.")
    verify_inclusion(leaf, item.index, checkpoint.size, item.hashes(f"{kind}.proof"), checkpoint.root)


class RunChecks:
    """The checks on one run's evidence, as steps that share what they found."""

    def __init__(self, evidence: DestructionBundle | UnsuccessfulRunBundle, pin: str) -> None:
        self.evidence = evidence
        self.anchor = AnchorChecks(evidence.anchor, pin, of_an_order=True)
        self.directory: KeyDirectory
        self.roster: Roster
        self.basis: links.Basis
        self.document: Certificate | UnsuccessfulRun

    @property
    def trust(self) -> TrustRoot:
        """The trust root in force. Only after its step has passed."""
        return self.anchor.trust

    @property
    def checkpoint(self) -> Checkpoint:
        """The state of the log that every proof is against. Only after its step has passed."""
        return self.anchor.checkpoint

    @property
    def successful(self) -> bool:
        """Whether the evidence is meant to carry a certificate."""
        return isinstance(self.evidence, DestructionBundle)

    def steps(self) -> list[Step]:
        """Every check, in order."""
        last = (
            Step("certificate", "The certificate says what follows from the evidence", self._certificate)
            if self.successful
            else Step("report", "The report says what follows from the evidence", self._report)
        )
        return [
            *self.anchor.steps(),
            Step("log", "Every logged statement is in that log", self._log),
            Step("keys", "The keys were enrolled and not revoked", self._keys),
            Step("roster", "The approvers were appointed by those before them", self._roster),
            Step("order", "The service sealed the order", self._order),
            Step("approvals", "People approved exactly this order", self._approvals),
            Step("record", "The host's agent signed the record", self._record),
            Step("acceptance", "The service took the record in", self._acceptance),
            Step("history", "The record is younger than its order, in one history", self._history),
            Step("verdict", "The evidence was judged anew", self._verdict),
            Step("validation", "A person decided whether it suffices", self._validation),
            last,
        ]

    def _entries(self) -> list[tuple[LogKind, Logged]]:
        """All logged statements in the order in which they must stand in the log."""
        evidence = self.evidence
        found: list[tuple[LogKind, Logged]] = [("acceptance", evidence.acceptance)]
        if evidence.validation is not None:
            found.append(("validation", evidence.validation))
        if isinstance(evidence, DestructionBundle):
            found.append(("certificate", evidence.certificate))
        else:
            found.append(("statement", evidence.report))
        return found

    def _log(self) -> str:
        evidence = self.evidence
        events: list[tuple[LogKind, Logged]] = [("key-event", item) for item in evidence.key_events]
        rosters: list[tuple[LogKind, Logged]] = [
            ("roster", item) for item in (*evidence.earlier_rosters, evidence.roster)
        ]
        entries = self._entries()
        for kind, item in (*events, *rosters, *entries):
            check_logged(item, kind, self.checkpoint)
        chain = [evidence.roster.index, *(item.index for _, item in entries)]
        for earlier, later in pairwise(chain):
            if earlier >= later:
                raise BrokenChain("log", f"entry {later} should come after entry {earlier}.")
        return f"{len(events) + len(rosters) + len(entries)} entries, the record's acceptance at {evidence.acceptance.index}."

    def _keys(self) -> str:
        self.directory = KeyDirectory(self.trust)
        for item in self.evidence.key_events:
            self.directory.add(item.envelope, item.index)
        return f"{len(self.directory.all())} keys of agents and approvers."

    def _roster(self) -> str:
        self.roster = open_rosters((*self.evidence.earlier_rosters, self.evidence.roster))
        return f"Version {self.roster.version}, {len(self.roster.people)} approvers."

    def _order(self) -> str:
        evidence = self.evidence
        validation = None if evidence.validation is None else evidence.validation.envelope
        self.basis = links.Basis.read(
            evidence.order, evidence.approvals, evidence.record, evidence.acceptance.envelope, validation
        )
        order = self.basis.order
        open_envelope(evidence.order, self.trust.keys("acceptance", order.after.size), "order", exact=True)
        if parse_instant(order.created) > parse_instant(order.expires):
            raise BrokenChain("order", "it expired before it was made.")
        return (
            f"Order {order.id}: {order.plan.method} by {order.plan.technique}, {order.plan.verification} verification."
        )

    def _approvals(self) -> str:
        people = {person.key_id: person.ref for person in self.roster.people}
        for envelope, approval in zip(self.evidence.approvals, self.basis.approvals, strict=True):
            key_id = _only_signer(envelope, "approval")
            enrolled = self.directory.find(key_id, "approver", self.evidence.acceptance.index)
            open_envelope(envelope, {key_id: enrolled.key}, "approval", exact=True)
            if enrolled.ref != approval.approver or people.get(key_id) != approval.approver:
                raise BrokenChain("approval", f"the key of {enrolled.ref} signed for {approval.approver}.")
        if self.successful:
            links.approvals_suffice(self.basis, self.roster)
        return f"{len(self.basis.approvals)} approvals: {', '.join(one.approver for one in self.basis.approvals) or 'none'}."

    def _record(self) -> str:
        key_id = _only_signer(self.evidence.record, "sanitization-record")
        enrolled = self.directory.find(key_id, "agent", self.evidence.acceptance.index)
        open_envelope(self.evidence.record, {key_id: enrolled.key}, "sanitization-record", exact=True)
        host, accepted = self.basis.record.host, self.basis.acceptance.host
        if host.agent_key != key_id or accepted.id != enrolled.ref:
            raise BrokenChain("record", "it was not signed by the agent of the host it names.")
        if self.successful:
            links.record_obeys_order(self.basis)
        else:
            links.record_answers_order(self.basis)
        return f"Agent key {key_id[:16]}… of host {host.name}."

    def _acceptance(self) -> str:
        item = self.evidence.acceptance
        open_envelope(item.envelope, self.trust.keys("acceptance", item.index), "acceptance", exact=True)
        links.acceptance_names_all(self.basis)
        if self.successful:
            links.acceptance_unreserved(self.basis)
        return f"Received {for_people(self.basis.acceptance.received)}."

    def _history(self) -> str:
        after = self.basis.order.after
        if after.origin != self.checkpoint.origin or not 1 <= after.size <= self.evidence.acceptance.index:
            raise BrokenChain("history", "the order names another log, or a later position than the record's.")
        root = from_base64(after.root, "order.after.root")
        proof = self.evidence.consistency_hashes()
        verify_consistency(after.size, self.checkpoint.size, root, self.checkpoint.root, proof)
        self.anchor.require_since_before(after.size)
        return f"Ordered when the log had {after.size} entries; the same history now has {self.checkpoint.size}."

    def _verdict(self) -> str:
        verdict = judge(self.basis.record)
        order = self.basis.order
        if self.successful and not verdict.reaches(order.required_method, order.required_verification):
            reasons = " ".join(reason.text for reason in verdict.blocking)
            raise BrokenChain("verdict", f"the evidence does not show what the certificate needs. {reasons}".strip())
        return f"Outcome {verdict.outcome}, method {verdict.method}, verification {verdict.coverage}."

    def _validation(self) -> str:
        item = self.evidence.validation
        if item is None:
            return "Nobody has decided yet."
        open_envelope(item.envelope, self.trust.keys("acceptance", item.index), "validation", exact=True)
        decided = links.validation_fits(self.basis)
        if self.successful and decided.decision != "approve":
            raise BrokenChain("validation", f"the decision was to {decided.decision}.")
        return f"{decided.validator.name} decided to {decided.decision}."

    def _certificate(self) -> str:
        item = self._entries()[-1][1]
        keys = self.trust.keys("acceptance", item.index)
        body, _ = open_envelope(item.envelope, keys, "certificate", exact=True)
        document = Certificate.from_dict(body, "certificate")
        certificate.check(self.basis, document)
        self.document = document
        return f"Certificate {document.number} of {document.organization.name}."

    def _report(self) -> str:
        item = self._entries()[-1][1]
        keys = self.trust.keys("acceptance", item.index)
        body, _ = open_envelope(item.envelope, keys, "statement", exact=True)
        document = UnsuccessfulRun.from_dict(body, "report")
        certificate.check_unsuccessful(self.basis, document)
        self.document = document
        return f"Report {document.number} of {document.organization.name}."

    def facts(self) -> tuple[Fact, ...]:
        """For the eye. Only after every step has passed."""
        record, basis, document = self.basis.record, self.basis, self.document
        device, verdict = record.device, judge(record)
        validated = basis.validation
        found = [
            Fact("Document", document.number),
            Fact("Issued by", document.organization.name),
            Fact("Issued", for_people(document.issued)),
            Fact("Manufacturer", device.vendor or "not reported"),
            Fact("Model", device.model or "not reported"),
            Fact("Serial number", device.serial or "not reported"),
            Fact("Asset tag", basis.acceptance.device.asset_tag or "none"),
            Fact("Capacity", claims.size_words(device.capacity_bytes)),
            Fact("Fingerprint", device.fingerprint),
            Fact("Outcome", verdict.outcome),
            Fact("Method reached", verdict.method),
            Fact("Technique", f"{record.method.technique}, {claims.details_words(record)}"),
            *(Fact(f"Command {one.number}", drive_words.command_words(one)) for one in record.method.commands),
            Fact("Verification", claims.verification_words(record)),
            Fact("Started", for_people(record.run.started)),
            Fact("Finished", for_people(record.run.finished)),
            Fact("Host", record.host.name),
            Fact("Tool", record.tool),
            Fact("Self-test", self_test_words(record)),
            *([Fact("Leave to write", by_hand_words(record))] if record.order.by_hand else []),
            *([Fact("Health of the drive", health_words(record))] if record.health else []),
            Fact("Policy", record.policy.id),
            Fact("Requested by", basis.order.requested_by),
            Fact(
                "Approved by", f"{len(basis.approvals)} people: {', '.join(a.approver for a in basis.approvals) or '-'}"
            ),
            Fact(
                "Validated by", "nobody" if validated is None else f"{validated.validator.name} ({validated.decision})"
            ),
            Fact("Log", f"{self.checkpoint.origin}, entry {self.evidence.acceptance.index} of {self.checkpoint.size}"),
            *self.anchor.facts(),
        ]
        return tuple(found)

    def commands(self) -> tuple[dict[str, Any], ...]:
        """The drive's own commands, every byte of them. Only after every step has passed."""
        return tuple(one.to_dict() for one in self.basis.record.method.commands)

    def proven(self) -> tuple[str, ...]:
        """What the checks have shown. Only after every step has passed."""
        basis, record = self.basis, self.basis.record
        found = [
            "This file is exactly what was issued under the pinned trust root; not one byte of it was altered.",
            f"The agent of host {record.host.name} signed this record with a key that was enrolled before.",
        ]
        if self.successful:
            found.append(
                f"{len(basis.approvals)} people, none of them the requester, approved exactly this medium, plan and policy "
                "with keys of their own."
            )
            found.extend(f"{claim.text} [{claim.clause}]" for claim in claims.derive(record).granted)
            found.append("Somebody who neither requested nor approved the order validated the result.")
        found.append(
            f"The record is younger than log entry {basis.order.after.size - 1} and was in the log of {self.checkpoint.size} "
            "entries; both are one history."
        )
        return (*found, *self.anchor.proven())

    def not_proven(self) -> tuple[str, ...]:
        """What nobody can read out of this file. Only after every step has passed."""
        said = claims.derive(self.basis.record)
        return (
            *said.exceptions,
            *said.not_covered,
            *self._times_not_proven(),
            *self.anchor.not_proven(),
        )

    def _times_not_proven(self) -> tuple[str, ...]:
        """What the host's clock is worth beside what outsiders stamped."""
        run = self.basis.record.run
        known = "was synchronized" if run.clock_synchronized else "was not known to be synchronized"
        bounded = bool(self.anchor.times or self.anchor.since)
        rest = (
            "others confirm only the bounds that time-stamps set."
            if bounded
            else "no time-stamp authority confirms them."
        )
        found = [f"The times of day are those of the host's clock, which {known}; {rest}"]
        if not self.anchor.bounds_hold(parse_instant(run.started), parse_instant(run.finished)):
            found.append(
                "The host's clock told times outside the bounds that time-stamps set: rely on the bounds, not on its times."
            )
        return tuple(found)


def _only_signer(envelope: Mapping[str, object], what: str) -> str:
    signers = signer_ids(envelope)
    if len(signers) != 1:
        raise MalformedDocument(what, "needs exactly one signature")
    return signers[0]
