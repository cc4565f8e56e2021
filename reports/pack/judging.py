"""What a pack's members mean, one after the other. Keeps sums, and one device at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final, get_args

from reports.anchor import OpenedAnchor, open_anchor, open_logged_stamp
from reports.bundle import Logged, RunEvidence, decode_hashes
from reports.canonical import parse_canonical, sha256_hex
from reports.destruction import DestructionCertificate
from reports.envelope import envelope_digest, open_envelope, unverified_body
from reports.errors import BrokenChain, MalformedDocument, ReportError
from reports.files import DestructionFile, read_file
from reports.record import SanitizationRecord
from reports.sealcheck import extract_evidence
from reports.statements import CustodyEvent
from reports.times import for_people
from reports.tlog import LogKind, leaf_hash, log_entry, verify_consistency, verify_inclusion
from reports.verify import verify

from . import contents
from .contents import Account, LoggedLine, Manifest, PackHead, PackSeal, PackStatement, Sample, StampLine

_KINDS: Final = frozenset(get_args(LogKind))
_BY_DOCUMENT: Final = frozenset({"sanitized", "released", "destroyed"})


class PackProblem(Exception):
    """A step of the verification failed."""

    def __init__(self, step: str, error: ReportError) -> None:
        self.step = step
        self.error = error
        super().__init__(str(error))


@dataclass
class _Document:
    """What was found of a document in the folder under way."""

    kind: str
    yes: bool
    evidence_sha256: str
    pdf_sha256: str | None = None
    fingerprint: str | None = None


class Judge:
    """Takes the members in their order; `done` says what each finished step found."""

    def __init__(self, pin: str) -> None:
        self._pin = pin
        self._head: PackHead
        self._anchor: OpenedAnchor
        self._seal_anchor: OpenedAnchor
        self._statement: PackStatement
        self._manifest = Manifest()
        self._sample: Sample
        self._head_sha256 = ""
        self._folder: dict[str, _Document] = {}
        self._folder_name = ""
        self._last_device = ""
        self._lines: Counter[str] = Counter()
        self._last_line: dict[str, int] = {}
        self._documents: Counter[str] = Counter()
        self._repeated: Counter[str] = Counter()
        self._accounts: Counter[str] = Counter()
        self._excepted = 0
        self._not_yes = 0
        self._sealed = False
        self.opened = False
        self.done: dict[str, str] = {}

    @property
    def members(self) -> int:
        """Members listed in the manifest."""
        return self._manifest.members

    # -- members ----------------------------------------------------------------------------------------------------------

    def member(self, name: str, sha256: str, size: int) -> None:
        """A member that the manifest must list, whatever it is."""
        self._manifest.line(name, sha256, size)

    def head(self, data: bytes) -> None:
        """`pack.json`."""
        if self.opened:
            raise PackProblem("head", MalformedDocument(contents.HEAD_NAME, "it stands there twice"))
        try:
            self._head = PackHead.from_dict(parse_canonical(data, contents.HEAD_NAME), contents.HEAD_NAME)
            self._anchor = open_anchor(self._head.anchor, self._pin)
        except ReportError as error:
            raise PackProblem("head", error) from error
        if not 0 <= self._head.sampling.size <= contents.MAX_SAMPLE:
            raise PackProblem("head", MalformedDocument(contents.HEAD_NAME, "no possible size of a sample"))
        self._sample = Sample(self._anchor.checkpoint, self._head.sampling)
        self._head_sha256 = sha256_hex(data)
        self.opened = True
        witnessed = "witnessed" if self._anchor.witnessed else "unwitnessed"
        self.done["head"] = f"{self._head.scope.words}. Log of {self._anchor.checkpoint.size} entries, {witnessed}."

    def logged(self, name: str, line: bytes) -> None:
        """A line of a file in `log/`."""
        try:
            value = parse_canonical(line, name)
            stamp = isinstance(value, dict) and value.get("kind") == "time-stamp"
            read = StampLine.from_dict(value, name) if stamp else LoggedLine.from_dict(value, name)
            if read.kind not in _KINDS:
                raise MalformedDocument(name, f"no kind of log entry: {read.kind[:40]!r}")
            if read.index <= self._last_line.get(name, -1):
                raise BrokenChain(name, f"entry {read.index} is not in the order of the log.")
            self._last_line[name] = read.index
            if isinstance(read, StampLine):
                open_logged_stamp(read, self._anchor.roots, self._anchor.checkpoint)
            else:
                self._included(read.kind, read.envelope, read.index, read.proof)
        except ReportError as error:
            raise PackProblem("log", error) from error
        self._lines[read.kind] += 1

    def _included(self, kind: str, envelope: dict[str, object], index: int, proof: tuple[str, ...]) -> None:
        leaf = leaf_hash(log_entry(kind, envelope_digest(envelope)))  # type: ignore[arg-type]  # compared with the kinds before
        state = self._anchor.checkpoint
        verify_inclusion(leaf, index, state.size, decode_hashes(proof, f"{kind}.proof"), state.root)

    def is_document(self, name: str) -> bool:
        """Whether a member is read as a document or account: everything in the two folders is."""
        return name.startswith((contents.DEVICE_FOLDER, contents.DOCUMENT_FOLDER))

    def document(self, name: str, data: bytes) -> None:
        """A member of `devices/` or `documents/`."""
        parts = name.split("/")
        if not self.opened:
            raise PackProblem("head", MalformedDocument("archive", "documents come before what the pack is about"))
        if parts[0] == "devices" and len(parts) == 3:
            self._enter(parts[1])
            if parts[2] == contents.ACCOUNT_NAME:
                self._account(name, data)
                return
        elif parts[0] != "documents" or len(parts) != 2:
            raise PackProblem("documents", MalformedDocument(name, "nothing of this kind belongs here"))
        try:
            self._judge_document(name, parts[-1], data)
        except ReportError as error:
            raise PackProblem("documents", error) from error

    def repeated(self, name: str, data: bytes) -> None:
        """A member of `samples/` or `balances/`: drawn or counted again."""
        if not self.opened:
            raise PackProblem("head", MalformedDocument("archive", "files come before what the pack is about"))
        result = verify(data, self._pin)
        folder = name[: name.index("/") + 1]
        if not result.genuine or result.kind != contents.REPEATED_FOLDERS[folder]:
            raise PackProblem("documents", BrokenChain(name, result.conclusion))
        self._repeated[result.kind] += 1

    def _enter(self, folder: str) -> None:
        if folder == self._folder_name:
            return
        if self._folder_name:
            raise PackProblem("accounts", MalformedDocument(f"devices/{self._folder_name}", "it has no account"))
        self._folder_name = folder
        self._folder = {}

    def _judge_document(self, name: str, file: str, data: bytes) -> None:
        number, _, ending = file.rpartition(".")
        if ending not in {"json", "pdf"} or not number:
            raise MalformedDocument(name, "neither evidence nor PDF")
        result = verify(data, self._pin)
        if not result.genuine:
            raise BrokenChain(name, result.conclusion)
        in_folder = name.startswith(contents.DEVICE_FOLDER)
        if ending == "pdf":
            known = self._folder.get(number) if in_folder else None
            evidence = sha256_hex(extract_evidence(data))
            if in_folder and (known is None or known.pdf_sha256 is not None or known.evidence_sha256 != evidence):
                raise BrokenChain(name, "the PDF is not of the evidence beside it.")
            if known is not None:
                known.pdf_sha256 = sha256_hex(data)
            return
        self._documents[result.kind] += 1
        if not in_folder:
            return
        if number in self._folder:
            raise MalformedDocument(name, "it stands there twice")
        self._folder[number] = _Document(result.kind, result.yes, sha256_hex(data), fingerprint=_fingerprint(data))

    def _account(self, name: str, data: bytes) -> None:
        try:
            account = Account.from_dict(parse_canonical(data, name), name)
            self._judge_account(account)
        except ReportError as error:
            raise PackProblem("accounts", error) from error
        self._sample.offer(account.device.id)
        self._last_device = account.device.id
        self._folder, self._folder_name = {}, ""
        self._accounts[account.account] += 1
        self._excepted += bool(account.exceptions)

    def _judge_account(self, account: Account) -> None:
        device = account.device.id
        if device != self._folder_name or device <= self._last_device:
            raise BrokenChain(f"device {device}", "its account stands in another place than its own.")
        if (account.account == "unaccounted") and not account.exceptions:
            raise BrokenChain(f"device {device}", "it is unaccounted for, and no exception says so.")
        self._match_documents(account)
        self._match_custody(account)
        if account.account in _BY_DOCUMENT and not account.exceptions and not self._carried(account):
            if self._head.documents != "none":
                raise BrokenChain(f"device {device}", f"no document here shows that it is {account.account}.")
            self._not_yes += 1

    def _match_documents(self, account: Account) -> None:
        device = account.device.id
        said = {one.number: one for one in account.documents if one.evidence_sha256 is not None}
        if self._head.documents != "none" and said.keys() != self._folder.keys():
            raise BrokenChain(f"device {device}", "the documents beside its account are not those it lists.")
        for number, found in self._folder.items():
            one = said.get(number)
            if one is None or (one.kind, one.evidence_sha256) != (found.kind, found.evidence_sha256):
                raise BrokenChain(f"device {device}", f"document {number} is another than its account lists.")
            expected = one.pdf_sha256 if self._head.documents == "all" else None
            if found.pdf_sha256 != expected:
                raise BrokenChain(f"device {device}", f"the PDF of {number} is another than its account lists.")

    def _carried(self, account: Account) -> bool:
        """Whether a document in force, here and verified, says yes of exactly this medium."""
        in_force = {one.number for one in account.documents if one.standing == "in-force"}
        return any(
            found.yes
            and number in in_force
            and found.fingerprint == account.device.fingerprint
            and (account.account != "destroyed" or found.kind == "destruction")
            and (account.account == "destroyed" or found.kind == "certificate")
            for number, found in self._folder.items()
        )

    def _match_custody(self, account: Account) -> None:
        before: str | None = None
        for item in account.custody:
            self._included("custody", item.envelope, item.index, item.proof)
            event = CustodyEvent.from_dict(unverified_body(item.envelope, "custody"), "custody")
            if event.device != account.device.id or event.previous != before:
                raise BrokenChain(f"device {account.device.id}", "its custody events do not follow one another.")
            before = envelope_digest(item.envelope)

    def sample(self, data: bytes) -> None:
        """`sampling.jsonl`: after the last account."""
        if self._folder_name:
            raise PackProblem("accounts", MalformedDocument(f"devices/{self._folder_name}", "it has no account"))
        if not self.opened or data != self._sample.to_bytes():
            raise PackProblem(
                "sampling", BrokenChain("sample", "it is not what the log's state draws from these devices.")
            )
        self.done["sampling"] = f"{self._head.sampling.size} of {self._accounts.total()} devices."

    def manifest(self, sha256: str, size: int) -> None:  # noqa: ARG002 - as members come
        """`manifest.json`."""
        if sha256 != self._manifest.digest():
            raise PackProblem("manifest", BrokenChain("manifest", "it does not list the members as they are."))
        self.done["manifest"] = f"{self._manifest.members:,} members."

    def seal(self, data: bytes, content_sha256: str, content_bytes: int) -> None:
        """`seal.json`."""
        if "manifest" not in self.done or "sampling" not in self.done:
            raise PackProblem("manifest", MalformedDocument("archive", "manifest or sample are missing"))
        try:
            seal = PackSeal.from_dict(parse_canonical(data, contents.SEAL_NAME), contents.SEAL_NAME)
            self._check_seal(seal, content_sha256, content_bytes)
        except ReportError as error:
            raise PackProblem("statement", error) from error
        self._sealed = True

    def _check_seal(self, seal: PackSeal, content_sha256: str, content_bytes: int) -> None:
        opened = open_anchor(seal.anchor, self._pin)
        own, later = [root.pin for root in self._anchor.roots], [root.pin for root in opened.roots]
        if own != later[: len(own)]:
            raise BrokenChain("trust root", "the versions at the end are not those at the beginning.")
        old, new = self._anchor.checkpoint, opened.checkpoint
        verify_consistency(old.size, new.size, old.root, new.root, decode_hashes(seal.consistency, "seal.consistency"))
        item: Logged = seal.statement
        leaf = leaf_hash(log_entry("statement", envelope_digest(item.envelope)))
        verify_inclusion(leaf, item.index, new.size, item.hashes("seal.proof"), new.root)
        body, _ = open_envelope(item.envelope, opened.trust.keys("acceptance", item.index), "statement", exact=True)
        self._statement = PackStatement.from_dict(body, "statement")
        said = self._statement
        head = self._head
        if (said.number, said.organization, said.scope, said.head_sha256) != (
            head.number, head.organization, head.scope, self._head_sha256,
        ):  # fmt: skip
            raise BrokenChain("statement", "it is about another pack.")
        if (said.content_sha256, said.content_bytes) != (content_sha256, content_bytes):
            raise BrokenChain("statement", "the archive is not the one that was signed.")
        found = (
            self._manifest.digest(), self._manifest.members, self._accounts.total(),
            self._accounts.total() - self._excepted, self._excepted, self._documents.total(),
        )  # fmt: skip
        if found != (
            said.manifest_sha256, said.members, said.devices, said.accounted, said.exceptions, said.documents,
        ) or said.devices != head.devices:  # fmt: skip
            raise BrokenChain("statement", "its sums are not those of the pack.")
        self._seal_anchor = opened
        self.done["statement"] = f"Entry {item.index} of the log of {new.size} entries."

    def finish(self) -> None:
        """After the last member."""
        if not self._sealed:
            raise PackProblem("statement", MalformedDocument("archive", f"it ends without {contents.SEAL_NAME}"))
        self.done["log"] = " ".join(
            f"{kind.capitalize().replace('-', ' ')}: {count}." for kind, count in sorted(self._lines.items())
        )
        repeated = [f"Repeated: {kind}, {count}." for kind, count in sorted(self._repeated.items())]
        self.done["documents"] = " ".join((f"{self._documents.total()} documents.", *repeated))
        self.done["accounts"] = f"{self._accounts.total()} devices, {self._excepted} with exceptions."

    # -- the answer -------------------------------------------------------------------------------------------------------

    def conclusion(self) -> tuple[bool, str]:
        """Yes or not yet, in one sentence. Only after `finish`."""
        devices = self._accounts.total()
        if self._excepted:
            return False, (
                f"NOT YET: the pack is genuine and whole; {self._excepted} of its {devices} devices have exceptions"
                " that a person must answer for."
            )
        if self._not_yes:
            return False, (
                f"NOT YET: the pack is genuine and whole, but the documents of {self._not_yes} of its {devices} devices"
                " were left out of it."
            )
        if not devices:
            return False, "NOT YET: the pack is genuine and whole, but no device is in its scope."
        return True, f"YES: the pack is genuine and whole, and each of its {devices} devices is accounted for."

    def facts(self) -> list[tuple[str, str]]:
        """For the eye. Only after `finish`."""
        head = self._head
        found = [
            ("Number", head.number),
            ("Organization", head.organization.name),
            ("Scope", head.scope.words),
            ("Requested", for_people(head.requested)),
            ("Devices", str(self._accounts.total())),
        ]
        found += [(f"Devices: {word}", str(count)) for word, count in sorted(self._accounts.items())]
        found += [(f"Documents: {kind}", str(count)) for kind, count in sorted(self._documents.items())]
        found += [(f"Repeated: {kind}", str(count)) for kind, count in sorted(self._repeated.items())]
        found.append(("Names", "in full" if head.names == "full" else "pseudonyms in the tables"))
        return found

    def proven(self) -> tuple[str, ...]:
        """What a genuine pack proves."""
        return (
            "Nothing was added to the pack, taken out of it or altered since the service signed it.",
            f"Every one of its {self._documents.total()} documents is genuine under the pin.",
            "Each account names exactly the documents beside it.",
            "Each medium called sanitized, released or destroyed without an exception is shown to be so by one of them.",
            "The sample was drawn by the log's state, from all devices of the scope.",
        )

    def open_questions(self) -> tuple[str, ...]:
        """What this pack in particular leaves open."""
        found = []
        if not self._anchor.witnessed:
            found.append(
                "That the log shows everybody the same history: no witness signed the state this pack rests on."
            )
        if not self._seal_anchor.witnessed:
            found.append(
                "That a witness saw the pack's own entry: the log signed it a moment before the pack was finished."
            )
        if self._head.documents != "all":
            found.append("Anything by documents that were left out of the pack on request.")
        return tuple(found)


def _fingerprint(data: bytes) -> str | None:
    """The one medium that evidence is about, None where it is about several or none; the file was verified before."""
    file = read_file(data)
    if isinstance(file, DestructionFile):
        body = unverified_body(file.statement.envelope, "statement")
        return DestructionCertificate.from_dict(body).facts.medium.fingerprint or None
    if not isinstance(file, RunEvidence):
        return None
    record = SanitizationRecord.from_dict(unverified_body(file.record, "sanitization-record"))
    return record.device.fingerprint
