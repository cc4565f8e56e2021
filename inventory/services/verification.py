"""Checking a file that anybody may bring: in a process of its own, with hard limits, and nothing of it kept.

Whoever asks needs no account. A file is piped to a child that holds no key and may write nothing (`reports.confined`); what it
says comes back, what it was given ends with it. Beside the offline verifier's answer stands what only the log's own service
can say: whether it knows the document, and whether a later correction took it back.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import sqlalchemy as sa
from sqlalchemy.orm import Session

import reports
from inventory.errors import Invalid, TooCostlyToCheck
from inventory.models import LogEntry, Seal, SealedTranslation
from inventory.models.log import Correction
from reports.canonical import is_sha256
from reports.confined import OUT_OF_MEMORY

from . import setup
from .context import Context

_ROOT: Final = Path(reports.__file__).resolve().parent.parent
_CLOCK_FACTOR: Final = 3
"""How many times its processor time a check may take by the clock, on a busy machine."""

_DOCUMENTS: Final = ("certificate", "statement")
"""Kinds of log entries that close a document."""

Answer = Literal["yes", "not-yet", "no"]


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What this service's own log says about a document, beyond what the document itself proves."""

    known: bool
    """Whether the document, or a file of it, is one of this service's."""
    void: bool
    """A later entry of the log declares it void."""
    superseded: bool
    """A later entry of the log puts another document in its place."""
    corrected: datetime | None
    """When that was."""


@dataclass(frozen=True, kw_only=True)
class CheckedFile:
    """The answer about one file."""

    answer: Answer
    """`yes` only where every check passed, the document says a full yes, nothing took it back, and it is what was expected."""
    sentence: str
    """The answer in one sentence."""
    verification: dict[str, Any]
    """What the offline verifier says (`sanitrail-verify --json`)."""
    evidence_sha256: str | None
    """Digest of the evidence, which the code on paper names; of a genuine file only."""
    expected_sha256: str | None
    as_expected: bool | None
    """Whether the evidence is the expected one; null where nothing was expected."""
    pin: str
    own_pin: bool
    """Whether the pin is this service's own: then the issuer is the judge in its own case."""
    standing: Standing | None
    """Of a genuine file under this service's own pin."""


def clean_digest(field: str, text: str) -> str:
    """A SHA-256 as people type it: spaces and capitals are forgiven. Raises `Invalid`."""
    plain = "".join(text.split()).lower()
    if not is_sha256(plain):
        raise Invalid(field, "This is no SHA-256: 64 hexadecimal digits are needed.")
    return plain


def standing(context: Context, sha256: str) -> Standing:
    """Whether this log knows a digest (of a document's file, evidence or logged envelope), and nothing else. Public."""
    with context.reading() as session:
        return _standing(session, clean_digest("sha256", sha256))


def check(context: Context, content: bytes, *, pin: str = "", expected: str = "") -> CheckedFile:
    """Check a file under a pin (this service's own where none is named). Public; nothing is stored or logged.

    Raises:
        Invalid: the pin or the expected digest is none.
        TooCostlyToCheck: the limits were reached first; nothing is said about the file.
    """
    own = setup.trust(context).pin
    chosen = clean_digest("pin", pin) if pin.strip() else own
    wanted = clean_digest("sha256", expected) if expected.strip() else None
    found = _confined(content, chosen, context.settings.verification_seconds)
    verification = found["verification"]
    evidence, document = found["evidence_sha256"], found["document_sha256"]
    known = None
    if verification["genuine"] and chosen == own and document is not None:
        with context.reading() as session:
            known = _standing(session, document)
    as_expected = None if wanted is None else evidence == wanted
    answer, sentence = _answer(verification, as_expected, known)
    return CheckedFile(
        answer=answer,
        sentence=sentence,
        verification=verification,
        evidence_sha256=evidence,
        expected_sha256=wanted,
        as_expected=as_expected,
        pin=chosen,
        own_pin=chosen == own,
        standing=known,
    )


def _answer(verification: dict[str, Any], as_expected: bool | None, known: Standing | None) -> tuple[Answer, str]:
    conclusion = str(verification["conclusion"])
    if not verification["genuine"]:
        return "no", conclusion
    if as_expected is False:
        return (
            "no",
            "NO: this file is genuine, but it is not the document whose digest you brought. Do not take one for the other.",
        )
    if known is not None and known.void:
        return "no", "NO: this document is genuine, but its issuer has declared it void since. Do not rely on it."
    if known is not None and known.superseded:
        return "no", "NO: this document is genuine, but its issuer has replaced it by a later one. Ask for that one."
    return ("yes" if verification["yes"] else "not-yet"), conclusion


def _confined(content: bytes, pin: str, seconds: int) -> dict[str, Any]:
    command = [sys.executable, "-s", "-P", "-m", "reports.confined", pin, str(seconds)]
    environment = {"PYTHONPATH": str(_ROOT), "PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            input=content,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd="/",
            timeout=seconds * _CLOCK_FACTOR,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise TooCostlyToCheck from error
    if done.returncode == OUT_OF_MEMORY or done.returncode < 0:  # a limit ended it
        raise TooCostlyToCheck
    if done.returncode:
        raise RuntimeError(f"the checking process ended with {done.returncode}")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def _standing(session: Session, sha256: str) -> Standing:
    document = session.scalar(sa.select(LogEntry.sha256).where(LogEntry.sha256 == sha256))
    if document is None:
        document = _of_file(session, sha256)
    corrections = session.scalars(
        sa.select(Correction).where(Correction.document_sha256 == document).order_by(Correction.log_index)
    ).all()
    actions = {one.action for one in corrections}
    return Standing(
        known=document is not None,
        void="void" in actions,
        superseded="supersede" in actions,
        corrected=max((one.at for one in corrections), default=None),
    )


def _of_file(session: Session, sha256: str) -> str | None:
    """The logged envelope of the document whose evidence or PDF has this digest."""
    numbers = sa.union(
        sa.select(Seal.number).where(sa.or_(Seal.bundle_sha256 == sha256, Seal.pdf_sha256 == sha256)),
        sa.select(SealedTranslation.number).where(SealedTranslation.pdf_sha256 == sha256),
    )
    return session.scalar(
        sa.select(LogEntry.sha256)
        .where(LogEntry.subject.in_(numbers), LogEntry.kind.in_(_DOCUMENTS))
        .order_by(LogEntry.idx)
        .limit(1)
    )
