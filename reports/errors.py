"""What can be wrong with evidence, each with a stable code.

    ReportError
    ├─ MalformedDocument(where, problem)      not the bytes or the shape it must be
    │   ├─ MalformedRecord                    a sanitization record that is none
    │   └─ UnsupportedSchema(found)           written by a version this code does not know
    ├─ UnknownKey(key_id)                     signed, but by nobody who is trusted here
    ├─ BadSignature(key_id)                   a trusted key's signature does not fit the bytes
    ├─ KeyNotValid(key_id, role, index)       a known key, outside the log positions where it counts
    ├─ BrokenChain(at, problem)               two pieces of evidence that must fit together do not
    ├─ BadSeal(problem)                       the PDF's seal does not cover exactly this file
    ├─ BadStamp(problem)                      a time-stamp that proves no time here
    ├─ ClaimRefused(claim, missing)           the evidence does not carry what somebody wants to say
    ├─ UnsafeKeyFile(path, problem)           a private key file that must not be used as it is
    ├─ TokenUnusable(uri, problem)            a key in a token (HSM, TPM) that cannot be used, or must not
    ├─ UnknownLanguage(language, known)       no catalog says documents in this language
    ├─ UnusableBrand(what, problem)           a logo, colour or text that documents cannot carry
    ├─ RenderingUnavailable(package)          this installation verifies, but cannot print or seal
    └─ PrintingFailed(problem)                the printing process ended without a document

No code is ever reused for another meaning. Codes and sentences are listed in `docs/errors.md`, compared by a test.
"""

from __future__ import annotations

from typing import ClassVar


class ReportError(Exception):
    """Evidence could not be read, trusted or written; subclasses say which and why."""

    code: ClassVar[str] = "report-error"
    sentence: ClassVar[str] = "The evidence could not be used."
    fault: ClassVar[str] = "the document"
    advice: ClassVar[str] = "Ask whoever gave you the document for an unaltered copy."

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        return self.summarize()

    def summarize(self) -> str:
        """One line: the fixed sentence and the particulars."""
        return f"{self.sentence} {self.detail}".strip()

    def explain(self) -> str:
        """The line, who is at fault and what a person can do about it."""
        return f"{self.summarize()} At fault: {self.fault}. {self.advice}"


class MalformedDocument(ReportError, ValueError):
    """The bytes are not the document they should be; `where` names the place."""

    code = "malformed-document"
    sentence = "The document is not well formed."

    def __init__(self, where: str, problem: str) -> None:
        super().__init__(f"{where}: {problem}")
        self.where = where
        self.problem = problem


class MalformedRecord(MalformedDocument):
    """The document is not a record of this schema; `where` names the place."""

    code = "malformed-record"
    sentence = "This is not a sanitization record."


class UnsupportedSchema(MalformedDocument):
    """The document names a schema or format that this version does not know."""

    code = "unsupported-schema"
    sentence = "This version does not know the document's format."
    fault = "nobody: the document may be newer than this program"
    advice = "Use a newer verifier."

    def __init__(self, where: str, found: str) -> None:
        super().__init__(where, f"unknown format {found[:80]!r}")
        self.found = found


class UnknownKey(ReportError):
    """No key that is trusted here signed this."""

    code = "unknown-key"
    sentence = "The signer is not known here."
    fault = "the signer, or the list of trusted keys"
    advice = "Do not rely on the document unless its key is enrolled."

    def __init__(self, key_id: str, detail: str = "") -> None:
        super().__init__(detail or f"Key {key_id[:16]}… is not among the trusted keys.")
        self.key_id = key_id


class BadSignature(ReportError):
    """The signature of a trusted key does not fit the bytes: something was altered."""

    code = "bad-signature"
    sentence = "A signature does not fit: the document or the signature was altered."

    def __init__(self, key_id: str, detail: str = "") -> None:
        super().__init__(detail or f"Key {key_id[:16]}….")
        self.key_id = key_id


class KeyNotValid(ReportError):
    """The key is known, but its signature does not count at this position of the log."""

    code = "key-not-valid"
    sentence = "The signer's key does not count at this position of the log."
    fault = "the signer"
    advice = "Treat the statement as unsigned; have the medium verified again."

    def __init__(self, key_id: str, role: str, index: int, problem: str) -> None:
        super().__init__(f"Key {key_id[:16]}… as {role} at log index {index}: {problem}.")
        self.key_id = key_id
        self.role = role
        self.index = index
        self.problem = problem


class BrokenChain(ReportError):
    """Two pieces of evidence that must fit together do not; `at` names the link."""

    code = "broken-chain"
    sentence = "The chain of evidence is broken."

    def __init__(self, at: str, problem: str) -> None:
        super().__init__(f"At {at}: {problem}")
        self.at = at
        self.problem = problem


class BadSeal(ReportError):
    """The PDF's seal is missing, foreign, or does not cover exactly this file."""

    code = "bad-seal"
    sentence = "The PDF's seal does not hold."

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class BadStamp(ReportError):
    """A time-stamp is not one, is over other bytes, or is by nobody whose time counts here."""

    code = "bad-time-stamp"
    sentence = "A time-stamp proves nothing:"
    fault = "the document, or the time-stamping authority"
    advice = "Ask whoever gave you the document for an unaltered copy; a newer stamp over the same log serves as well."

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


class ClaimRefused(ReportError):
    """The evidence does not carry the claim; `missing` lists what it would take."""

    code = "claim-refused"
    sentence = "The evidence does not carry this claim."
    fault = "the evidence"
    advice = "Repeat or escalate the sanitization; nothing is certified on this record."

    def __init__(self, claim: str, missing: tuple[str, ...]) -> None:
        super().__init__(f"{claim}: {' '.join(missing)}")
        self.claim = claim
        self.missing = missing


class UnsafeKeyFile(ReportError):
    """A private key file is readable by others, of a kind that is not used here, or already there."""

    code = "unsafe-key-file"
    sentence = "The private key file must not be used as it is."
    fault = "whoever installed the key file"
    advice = "Correct the file's owner and mode (0600), or make a new key."

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class TokenUnusable(ReportError):
    """A key in a token cannot be used: it is not there, not open, of another kind, or it can be taken out."""

    code = "token-unusable"
    sentence = "The key in the token cannot be used."
    fault = "whoever set up the token"
    advice = "Look at the token with its own tools, correct the URI or the PIN file, and start again."

    def __init__(self, uri: str, problem: str) -> None:
        super().__init__(f"{uri}: {problem}")
        self.uri = uri
        self.problem = problem


class UnknownLanguage(ReportError, ValueError):
    """Documents are not printed in this language."""

    code = "unknown-language"
    sentence = "Documents are not printed in this language."
    fault = "whoever asked for the language"
    advice = "Ask for one that is there; the signed evidence is English in any of them."

    def __init__(self, language: str, known: tuple[str, ...]) -> None:
        super().__init__(f"Asked for was {language[:20]!r}; there are {', '.join(known)}.")
        self.language = language


class UnusableBrand(ReportError, ValueError):
    """A logo, colour or text of an organisation that documents cannot carry; `what` names the setting."""

    code = "unusable-brand"
    sentence = "The documents cannot carry this."
    fault = "whoever set it"
    advice = "Correct the setting or the file; nothing is printed with it until then."

    def __init__(self, what: str, problem: str) -> None:
        super().__init__(f"{what}: {problem}")
        self.what = what
        self.problem = problem


class RenderingUnavailable(ReportError):
    """This installation has the verifier only; printing and sealing need the extra `server`."""

    code = "rendering-unavailable"
    sentence = "This installation cannot print or seal documents."
    fault = "the installation"
    advice = "Install the extra `server` and its system libraries."

    def __init__(self, package: str) -> None:
        super().__init__(f"The package {package} cannot be loaded.")
        self.package = package


class PrintingFailed(ReportError):
    """The printing process ended or took too long; the evidence is unchanged and can be printed again."""

    code = "printing-failed"
    sentence = "The document could not be printed."
    fault = "the installation"
    advice = "Try again; the evidence is kept as it was. If it happens again, look at the service's log and its memory."

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem
