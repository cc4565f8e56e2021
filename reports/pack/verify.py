"""Verifies an audit pack as a stream: every document in it, every account, the sample, and that nothing is missing or added.

As with files: bad input never raises, the answer is a `Verification`. `yes` needs more than a genuine pack: every device of its
scope is accounted for by a document in it that says yes (or is still held), and no exception is named.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import IO, Final

from reports.canonical import MAX_BYTES, is_sha256, sha256_hex
from reports.errors import MalformedDocument, ReportError
from reports.verify_steps import Check, Fact, State, Verification

from .archive import LOCAL_SIGNATURE, ArchiveReader
from .contents import HEAD_NAME, LOG_FOLDER, MANIFEST_NAME, REPEATED_FOLDERS, SAMPLE_NAME, SEAL_NAME
from .judging import Judge, PackProblem

TITLES: Final[dict[str, str]] = {
    "form": "The archive has its one form, every byte of it",
    "head": "It begins with what it is about, under the pinned trust root",
    "log": "Key events, rosters and corrections are in the log",
    "documents": "Every document in it is genuine",
    "accounts": "Every device of its scope is accounted for, or named as an exception",
    "sampling": "The sample is the one that the log's state draws",
    "manifest": "The manifest lists every member as it is",
    "statement": "The service signed and logged exactly this pack",
}
_LINE: Final = 4 * 1024 * 1024
NOT_PROVEN: Final = (
    "That the tables (CSV, XLSX) and pages say the same as the accounts and documents: the service rendered them.",
    "That the inventory knew of every device there was.",
    "That any clause of any standard is met: the pack lists evidence and gaps; people judge.",
)


def looks_like_pack(begin: bytes) -> bool:
    """Whether bytes begin as an archive does."""
    return begin[: len(LOCAL_SIGNATURE)] == LOCAL_SIGNATURE


def verify_pack(source: IO[bytes], pin: str) -> Verification:
    """Check a pack from an open file, read once from its beginning.

    Args:
        source: the file.
        pin: SHA-256 of the trust root, 64 hexadecimal digits; spaces and upper case are forgiven.
    """
    plain = "".join(pin.split()).lower()
    reader = ArchiveReader(source)
    judge = Judge(plain)
    try:
        _check_pin(plain)
        _go_through(reader, judge)
    except PackProblem as problem:
        return _refused(judge, problem.step, problem.error)
    except ReportError as error:
        return _refused(judge, "form", error)
    except RecursionError:
        return _refused(judge, "form", MalformedDocument("archive", "something in it is nested too deeply"))
    return _accepted(judge, reader)


def _check_pin(pin: str) -> None:
    if not is_sha256(pin):
        raise PackProblem("head", MalformedDocument("pin", "not 64 hexadecimal digits"))


def _go_through(reader: ArchiveReader, judge: Judge) -> None:
    before, begin = reader.digest(), 0
    last = ""
    for name, parts in reader.members():
        if not last and name != HEAD_NAME:
            raise MalformedDocument("archive", f"it does not begin with {HEAD_NAME}: this is no audit pack")
        if last == SEAL_NAME:
            raise MalformedDocument("archive", f"there is something behind {SEAL_NAME}")
        if name == SEAL_NAME:
            judge.seal(_whole(name, parts), before, begin)
        elif name == MANIFEST_NAME:
            judge.manifest(*_hashed(parts))
        else:
            _member(judge, name, parts)
        last = name
        before, begin = reader.digest(), reader.offset
    judge.finish()


def _member(judge: Judge, name: str, parts: Iterator[bytes]) -> None:
    if name == HEAD_NAME:
        take: Callable[[bytes], None] = judge.head
    elif name == SAMPLE_NAME:
        take = judge.sample
    elif judge.is_document(name):
        take = lambda data: judge.document(name, data)  # noqa: E731 - one of several
    elif name.startswith(tuple(REPEATED_FOLDERS)):
        take = lambda data: judge.repeated(name, data)  # noqa: E731 - one of several
    else:
        if name.startswith(LOG_FOLDER):
            parts = _tee_lines(name, parts, judge)
        judge.member(name, *_hashed(parts))
        return
    content = _whole(name, parts)
    take(content)
    judge.member(name, sha256_hex(content), len(content))


def _whole(name: str, parts: Iterator[bytes]) -> bytes:
    content = bytearray()
    for part in parts:
        content += part
        if len(content) > 2 * MAX_BYTES:
            raise MalformedDocument(name, f"larger than {2 * MAX_BYTES} bytes")
    return bytes(content)


def _hashed(parts: Iterator[bytes]) -> tuple[str, int]:
    size, found = 0, hashlib.sha256()
    for part in parts:
        found.update(part)
        size += len(part)
    return found.hexdigest(), size


def _tee_lines(name: str, parts: Iterator[bytes], judge: Judge) -> Iterator[bytes]:
    """Hands every line to the judge while the bytes go on to be hashed."""
    rest = b""
    for part in parts:
        yield part
        *lines, rest = (rest + part).split(b"\n")
        for line in lines:
            judge.logged(name, line)
        if len(rest) > _LINE:
            raise MalformedDocument(name, "a line is too long")
    if rest:
        raise MalformedDocument(name, "its last line does not end")


def _checks(judge: Judge, failed: str = "", detail: str = "") -> tuple[Check, ...]:
    found = []
    for code, title in TITLES.items():
        state: State = "failed" if code == failed else "passed" if code in judge.done else "not-reached"
        found.append(Check(code, title, state, detail if code == failed else judge.done.get(code, "")))
    return tuple(found)


def _refused(judge: Judge, step: str, error: ReportError) -> Verification:
    known = judge.opened
    title, detail = TITLES[step], error.summarize()
    conclusion = f"NO: do not rely on this pack. {title}: this failed. {detail}"
    return Verification(
        "audit-pack" if known else "unreadable",
        genuine=False,
        yes=False,
        conclusion=conclusion,
        checks=_checks(judge, step, detail),
        codes=(error.code,),
    )


def _accepted(judge: Judge, reader: ArchiveReader) -> Verification:
    judge.done["form"] = f"{reader.offset:,} bytes, {judge.members:,} members."
    yes, conclusion = judge.conclusion()
    facts = tuple(Fact(label, value) for label, value in judge.facts())
    return Verification(
        "audit-pack",
        genuine=True,
        yes=yes,
        conclusion=conclusion,
        checks=_checks(judge),
        facts=facts,
        proven=judge.proven(),
        not_proven=(*judge.open_questions(), *NOT_PROVEN),
        sha256=reader.file_hash.hexdigest(),
    )
