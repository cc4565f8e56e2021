"""Checks a certificate (or report) of physical destruction: whose word it is, and that nobody's word was altered. Pure."""

from __future__ import annotations

from . import destruction
from .appointed import open_keys, open_rosters
from .destruction import DestructionCertificate
from .enrolled import KeyDirectory
from .envelope import envelope_digest, open_envelope, signer_ids
from .errors import BrokenChain
from .files import DestructionFile
from .language.speaker import ENGLISH
from .orders import Roster
from .personal import PersonalSignature, open_signature
from .record import SanitizationRecord
from .statements import Acceptance
from .times import day_for_people, for_people
from .verify_anchor import AnchorChecks
from .verify_run import check_logged
from .verify_steps import Fact, Step


class DestructionChecks:
    """The checks on one destruction, as steps that share what they found."""

    def __init__(self, evidence: DestructionFile, pin: str) -> None:
        self.evidence = evidence
        self.anchor = AnchorChecks(evidence.anchor, pin)
        self.document: DestructionCertificate
        self.directory: KeyDirectory
        self.roster: Roster | None = None
        self.signatures: tuple[PersonalSignature, ...] = ()

    def steps(self) -> list[Step]:
        """Every check, in order."""
        return [
            *self.anchor.steps(),
            Step("statement", "The service signed and logged the document", self._statement),
            Step("keys", "The keys were enrolled and not revoked", self._keys),
            Step("roster", "Those who sign were appointed by those before them", self._roster),
            Step("signatures", "People signed exactly these facts with their own keys", self._signatures),
            Step("identity", "An agent signed the identity of the medium", self._identity),
            Step("content", "The document says what follows from its facts and signatures", self._content),
        ]

    def _statement(self) -> str:
        item = self.evidence.statement
        check_logged(item, "statement", self.anchor.checkpoint)
        body, _ = open_envelope(
            item.envelope, self.anchor.trust.keys("acceptance", item.index), "statement", exact=True
        )
        self.document = DestructionCertificate.from_dict(body, "destruction")
        return f"{self.document.number}, log entry {item.index}."

    def _keys(self) -> str:
        for item in self.evidence.key_events:
            check_logged(item, "key-event", self.anchor.checkpoint)
        self.directory = open_keys(self.anchor.trust, self.evidence.key_events)
        return f"{len(self.directory.all())} keys."

    def _roster(self) -> str:
        last = self.evidence.roster
        if last is None:
            if self.evidence.signatures or self.evidence.earlier_rosters:
                raise BrokenChain("roster", "people signed, and nothing shows who they are.")
            return "Nobody signed."
        rosters = (*self.evidence.earlier_rosters, last)
        for item in rosters:
            check_logged(item, "roster", self.anchor.checkpoint)
        if last.index >= self.evidence.statement.index:
            raise BrokenChain("roster", "it is younger than the document.")
        self.roster = open_rosters(rosters)
        return f"Version {self.roster.version}, {len(self.roster.people)} people."

    def _signatures(self) -> str:
        found = []
        for envelope in self.evidence.signatures:
            if self.roster is None:
                raise BrokenChain("roster", "there is none.")
            found.append(open_signature(envelope, self.directory, self.roster, self.evidence.statement.index))
        if tuple(envelope_digest(one) for one in self.evidence.signatures) != self.document.signatures:
            raise BrokenChain("personal signature", "they are not those that the document names.")
        self.signatures = tuple(found)
        return f"{len(found)} of {len(destruction.ROLES)} signed: {', '.join(one.role for one in found) or 'none'}."

    def _identity(self) -> str:
        shown, medium = self.evidence.identity, self.document.facts.medium
        if shown is None:
            if self.document.record_sha256 is not None:
                raise BrokenChain("identity", "the record that the document names is not there.")
            return "No record of this medium is in the file: its identity is what the inventory says an agent read."
        check_logged(shown.acceptance, "acceptance", self.anchor.checkpoint)
        index = shown.acceptance.index
        if index >= self.evidence.statement.index:
            raise BrokenChain("identity", "the record is younger than the document.")
        keys = self.anchor.trust.keys("acceptance", index)
        body, _ = open_envelope(shown.acceptance.envelope, keys, "acceptance", exact=True)
        accepted = Acceptance.from_dict(body, "acceptance")
        digest = envelope_digest(shown.record)
        if digest != accepted.record_sha256 or digest != self.document.record_sha256:
            raise BrokenChain("identity", "it is not the record that was accepted and that the document names.")
        signers = signer_ids(shown.record)
        enrolled = self.directory.find(signers[0] if signers else "", "agent", index)
        signed, _ = open_envelope(shown.record, {enrolled.key.key_id: enrolled.key}, "sanitization-record", exact=True)
        record = SanitizationRecord.from_dict(signed)
        device = record.device
        if (device.fingerprint, device.serial or "") != (medium.fingerprint, medium.serial):
            raise BrokenChain("identity", "the record is about another medium.")
        if accepted.checks.identity_matches_inventory != "yes" or record.host.agent_key != enrolled.key.key_id:
            raise BrokenChain("identity", "the record was not accepted as one about this medium.")
        return f"The agent of {record.host.name} signed it on {day_for_people(record.run.finished)}."

    def _content(self) -> str:
        destruction.check(self.document, self.signatures)
        return "Nothing is missing." if self.document.certified else f"{len(self.document.missing)} things are missing."

    def answer(self) -> tuple[bool, str]:
        """Whether it is a full yes, and the conclusion."""
        document = self.document
        medium = document.facts.medium
        name = " ".join(word for word in (medium.manufacturer, medium.model, medium.serial) if word) or medium.id
        if document.certified:
            return True, (
                f"YES: {name} was destroyed, as its operator states and a witness and a second person each signed; "
                "nothing of it was altered. It is their word: no machine can check a destruction."
            )
        return False, (
            f"NO CERTIFICATE: this is a genuine report that something is missing to certify the destruction of {name}."
        )

    def facts(self) -> tuple[Fact, ...]:
        """For the eye. Only after every step has passed."""
        document, facts, medium = self.document, self.document.facts, self.document.facts.medium
        size = "not stated" if facts.particle_size_mm is None else f"{facts.particle_size_mm} mm or less"
        found = [
            Fact("Document", document.number),
            Fact("Issued by", document.organization.name),
            Fact("Issued", for_people(document.issued)),
            Fact("Manufacturer", medium.manufacturer or "not reported"),
            Fact("Model", medium.model or "not reported"),
            Fact("Serial number", medium.serial or "not reported"),
            Fact("Serial number read before", facts.serial_read or "not stated"),
            Fact("Asset tag", medium.asset_tag or "none"),
            Fact("Fingerprint", medium.fingerprint or "none: never identified by an agent"),
            Fact("Technique", facts.technique),
            Fact("Particle size", size),
            Fact("Equipment", facts.equipment),
            Fact("Place", facts.place),
            Fact("Performed", for_people(facts.performed)),
            Fact("Operator", facts.operator.name),
            Fact("Witness", "nobody" if document.witness is None else document.witness.name),
            Fact("Second person", "nobody" if document.countersigner is None else document.countersigner.name),
            Fact("Decision", f"{document.decision.decision}: {document.decision.reason}"),
        ]
        found += [Fact(f"Photograph {number}", digest) for number, digest in enumerate(facts.photographs, 1)]
        state = self.anchor.checkpoint
        found += self.anchor.facts()
        found.append(Fact("Log", f"{state.origin}, entry {self.evidence.statement.index} of {state.size}"))
        return tuple(found)

    def proven(self) -> tuple[str, ...]:
        """What the checks have shown. Only after every step has passed."""
        found = ["This file is exactly what was issued under the pinned trust root; not one byte of it was altered."]
        return (*found, *self._said("machine", "signed"), *self.anchor.proven())

    def not_proven(self) -> tuple[str, ...]:
        """What nobody can read out of this file. Only after every step has passed."""
        return (
            *(f"Missing for a certificate: {text}" for text in self.document.missing),
            *self.document.exceptions,
            *self._said("stated", "nobody"),
            *self.anchor.not_proven(),
        )

    def _said(self, *kinds: str) -> list[str]:
        claims = destruction.claims(self.document, self.signatures, record=self.evidence.identity is not None)
        return [ENGLISH.tell(one.text) for one in claims if one.by in kinds]
