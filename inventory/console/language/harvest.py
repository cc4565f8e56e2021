"""Every sentence the console can print, read from the sources: what the catalogs must hold.

Templates say theirs by `marking`; Python modules hold theirs as literals. A literal counts as a sentence where a person could
read it: it has two words, or begins with a capital letter. What is none although it looks like one stands in `NOT_READ`.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Final, get_args

from inventory import domain
from inventory.console.formatting import sentence_case
from inventory.console.said import SAID
from inventory.domain.import_subjects import ENCRYPTION
from inventory.domain.questions import RULES
from inventory.services.destruction import METHODS
from inventory.services.lots import DESTINATIONS
from reports.errors import ReportError
from reports.media import Outcome
from reports.tlog.entries import LOG_KINDS

from . import scripts
from .catalogs import is_pattern
from .marking import sentences

ROOT: Final = Path(__file__).resolve().parents[3]
TEMPLATES: Final = ROOT / "inventory/console/templates/console"
SPOKEN: Final = ("inventory/console/pages", "inventory/console/views", "inventory/console", "inventory/services/lists")
"""Packages whose literals are shown as they are."""
RECOGNISED: Final = ("inventory/domain", "inventory/services", "inventory/errors.py", "inventory/auth")
"""Packages whose sentences reach a page through a refusal, a view or a stored row."""

IN_PIECES: Final = (
    "inventory/domain/questions.py",
    "inventory/domain/labels.py",
    "inventory/domain/separation.py",
    "inventory/domain/policy_words.py",
    "inventory/services/queues.py",
    "inventory/services/queries/maps.py",
    "agents/abilities.py",
    "sanitizer/lineage.py",
    *(
        f"sanitizer/techniques/{name}.py"
        for name in (
            "ata_sanitize", "ata_security", "luks", "mmc", "needs", "nvme_format", "nvme_sanitize", "opal", "scsi_format",
            "scsi_sanitize",
        )
    ),
)  # fmt: skip
"""Modules whose words reach a page as a part of a sentence."""
_REFUSALS: Final = ("BadSeal", "BadStamp", "BrokenChain", "KeyNotValid")
_BY_COMMAND: Final = frozenset({"ceremony", "exported_log", "folder", "publish", "timestamp_request", "verify_log"})
"""Modules of `reports` that command lines alone call; they speak English."""
VERIFIED: Final = (
    *sorted(
        str(path.relative_to(ROOT)) for path in (ROOT / "reports").glob("verify*.py") if path.stem not in _BY_COMMAND
    ),
    "reports/pack/verify.py",
    "reports/pack/judging.py",
    "reports/links.py",
)
"""What the public page says of a file's checks."""
_MAPPINGS: Final = ROOT / "inventory/services/imports/mappings"
_HISTORY: Final = ROOT / "inventory/services"
_NOTES: Final = frozenset({"note", "move_device"})

_WORD = re.compile(r"[^\W\d_]{2}")
_SENTENCE = re.compile(r"^[A-Z][\w'-]*[ ,:;].*[a-z]|^[a-z{][^/=<>\\]* .*[a-z}]\.$", re.DOTALL)
_IN_PIECES = re.compile(r"^[a-z{0-9(][\w{}' ,;:.()-]* [\w{}' ,;:.()-]*$")
"""What a page puts after a number or a name: it begins small, with a digit or with a value, and has no full stop."""
_LABEL = re.compile(r"^[A-Z][a-z]+([ -][A-Za-z]+)*( \([\w ]+\))?[.:]?$|^[A-Z][a-z]+, [a-z ]+$")
_CODE = re.compile(
    r"^(SET LOCAL|tmpfs |nfs |SELECT|INSERT|UPDATE|DELETE|CREATE|PRAGMA|BEGIN|CASE WHEN|text/|application/|https?:"
    r"|[A-Z][a-z]+(-[A-Z][a-z]+)+$)|[{}]{2}|\bNULL\b"
)
_ENUMERATIONS: Final = frozenset(
    {
        "Category", "ChangeKind", "ContainerKind", "DeliveryState", "DeviceEvent", "DeviceState", "HandoverEvent",
        "HoldingKind", "HoldingSource", "HoldingState", "HostState", "LotEvent", "LotPurpose", "LotState", "Method",
        "ObligationKind", "OrderEvent", "OrderState", "PartyKind", "ReadingEvent", "ReadingState", "Role", "ScopeKind",
        "ValidationDecision", "Verification", "Way", "Zone",
    }
)  # fmt: skip
_HOLES = re.compile(r"\{[a-zA-Z_0-9]+\}|</?[0-9]>")
_LOGGED: Final = frozenset(
    {
        "debug", "info", "warning", "error", "exception", "critical", "getLogger", "compile", "field", "TypeVar",
        "AssertionError",
    }
)  # fmt: skip
_UNITS: Final = ("second", "seconds", "minute", "minutes", "hour", "hours", "day", "days")
NOT_READ: Final = frozenset(
    {
        "Accept", "Allow", "Location", "Host", "Cookie", "Link", "Retry-After", "Strict", "Lax",
        "Content-Disposition", "CRM production", "Cache-Control", "X-CSRF-Token", "is-wide", "Helvetica", "Sanitrail", "Word",
        "no-store, no-transform", "retry: 2000", "agent 7",
        "event: {kind}", "data: {line}", "{value} h {value_2} min", "{value} min {value_2} s",
        "Edg", "Edge", "Opera", "Samsung Internet", "Firefox", "Chrome", "Safari", "Android", "Windows", "Mac OS X", "Linux",
    }
)  # fmt: skip
"""Literals that no person reads, or that are names in every language: headers, types, browsers."""
_NO_END: Final = "Deleting files does not end it."
COMPOSED: Final = (
    *(f"{{count}} {unit} ago" for unit in _UNITS),
    *(f"in {{count}} {unit}" for unit in _UNITS),
    *("just now", "not yet known", "unknown size", "the service"),
    *("low", "moderate", "high", "clear", "purge", "destroy", "full", "representative"),
    *("reuse under our own control", "reuse by a party with a valid undertaking"),
    *(
        f"{first}{use}, {where}{last}"
        for use in ("reuse", "no further use")
        for where in ("under our own control", "leaving our control")
        for first, last in (("", ""), ("{description} (", ")"))
    ),
    *(
        f"{{category}} data, {use}, {where} our control"
        for use in ("reused", "not reused")
        for where in ("leaving", "staying under")
    ),
    *(
        f"It holds or held {{data_set}} ({{category}}) since {{since}}, {end}; no validated record covers that."
        f" {_NO_END}"
        for end in ("until {until}", "and holds it still")
    ),
    *(
        f"{{method}}, because {held} and the medium {goes}{end}."
        for held in ("{data_set} is {category}", "nobody has said what it held ({category})")
        for goes in (
            "leaves to {destination}",
            "leaves our control",
            "stays ours, at {destination}",
            "stays under our control",
        )
        for end in ("", ", not to be used again")
    ),
    *(
        f"{{category}} data, {use}, {where} our control: the policy {{policy}} asks for {{method}}."
        for use in ("reused", "not reused")
        for where in ("leaving", "staying under")
    ),
    *(
        f"{{device}} {rule.said}{host}{whom}."
        for rule in RULES.values()
        for host in ("", " ({host})")
        for whom in ("", ", to {receiver}")
    ),
    *(
        "Not now:",
        "Answer by {due}.",
        "Device {id} is missing.",
        "Exposed:",
        "Erasure cases concerned:",
        "{id} is open:",
        _NO_END,
    ),
    *(f"{{data_set}} ({{category}}, encryption {{encryption}}){end}" for end in (".", ";")),
    "no data set is known to be on it",
    *("a validator", "a witness", "keyed-stream", "pseudonyms", "Serial", "Media type"),
    "{label}, size unknown",
    "{count} bytes",
    "{place} (secure)",
    "{place} (controlled)",
    "{place} (open)",
    "Known only by its agent",
    "location",
    "No validator approved it; the decision is: {decision}.",
    "No validator approved it; the decision is: none.",
    "Checked",
    "{first} to {last}",
    "Category",
    "If destroyed",
    "Leaves control",
    "Needs",
    "Reuse",
    "Key event",
    "Roster",
    "Trust root",
    "Order",
    "Checkpoint",
    "Approvals sufficient",
    "Identity matches inventory",
    "Nonce unused",
    "Order known",
    "Token current",
    "Magnetic",
    "Flash",
    "Virtual",
    "active",
    "waiting",
    "complete",
    "interim",
    "Fingerprint",
    "zeros",
    "random",
    "Coverage",
    "Arrived",
    "Before",
    "Closing",
    "Counting",
    "Disposed",
    "New",
    "Present",
    "Total",
    "Unknown",
    "Waived",
    "Record finished",
    "Something to know",
    "The gate is open",
    "An order is under way",
    "Today",
    *("{words}, as of {end}", "{words}, from {begin} to before {end}"),
    *(f"{sentence_case(kind)}: {{count}}." for kind in sorted(LOG_KINDS)),
    *(f"{{name}} ({decision})" for decision in ("approve", "reject", "escalate")),
    "One seal over all {size} bytes, under the pinned certificate.",
    "One seal over all {size} bytes, under a certificate of the pinned authority; {said}.",
    *("stamped {when} by {authority}", "made {when} by its own word", "one of {digests}"),
    *("Its certificate was not revoked; list of {day}.", "None in this record.", "Witnessed by {names}", "Unwitnessed"),
    *("At {at}:", "At {at}: {problem}", "Still open:", "{count} medium:", "{count} media:", "inside", "beside"),
    *("Annex", "Approval", "Consistency proof", "Corrections", "Identity", "Manifest", "Seed", "Verdict"),
    *(f"{{name}}, {outcome}: {{detail}}" for outcome in get_args(Outcome)),
    "unwitnessed",
    "a validator",
    "a witness",
    "carrying case",
    "Carrying case",
    "live",
    "residue",
    "covered by a validated record",
    "There is nothing here.",
    "Nothing more is said here. In the service's log this is incident {incident}.",
    "agent {host}",
    "roster {version}",
    "trust root {version}",
    "webhook {number}",
    "token {number}",
    "a receiver who is not in the register",
    "approver {person}",
)
"""Messages that are put together, and words within sentences that somebody else made."""


def holes(message: str) -> list[str]:
    """What a translation must hold as well, in any order."""
    return sorted(_HOLES.findall(message))


def said() -> dict[str, str]:
    """Every sentence -> the file it stands in (the first one)."""
    found: dict[str, str] = {}
    for path in sorted(TEMPLATES.glob("*.html")):
        for sentence in sentences(path.read_text(encoding="utf-8")):
            _keep(found, sentence, path)
    for path in sorted(scripts.FOLDER.glob("*.js")):
        for sentence in scripts.sentences(path.read_text(encoding="utf-8")):
            _keep(found, sentence, path)
    for folder in SPOKEN:
        for path in sorted((ROOT / folder).glob("*.py")):
            for sentence in of_module(path.read_text(encoding="utf-8"), labels=True):
                _keep(found, sentence, path)
    for entry in (*IN_PIECES, *VERIFIED):
        for sentence in of_module((ROOT / entry).read_text(encoding="utf-8"), labels=True):
            _keep(found, sentence, ROOT / entry)
    for path, sentence in _of_refusals():
        _keep(found, sentence, path)
    flashes = (one.sentence for one in SAID.values())
    for word in (*vocabulary(), *_of_history(), *_of_mappings(), *flashes, *COMPOSED):
        found.setdefault(word, "inventory/domain")
    return found


def vocabulary() -> list[str]:
    """The words of enumerations that pages print as they are, the first letter large."""
    found: list[str] = []
    for module in pkgutil.iter_modules(domain.__path__):
        for name, kind in vars(importlib.import_module(f"{domain.__name__}.{module.name}")).items():
            if name in _ENUMERATIONS and issubclass(kind, StrEnum):
                found += [sentence_case(str(word)) for word in kind]
    return found + [sentence_case(word) for word in (*ENCRYPTION, *METHODS, *DESTINATIONS, *sorted(LOG_KINDS))]


def _of_history() -> list[str]:
    """What the history calls its details: the names that services write beside an event."""
    found: dict[str, None] = {}
    for path in sorted(_HISTORY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in _NOTES:
                given = next((word.value for word in node.keywords if word.arg == "details"), None)
                keys = given.keys if isinstance(given, ast.Dict) else ()
                found.update((sentence_case(str(key.value)), None) for key in keys if isinstance(key, ast.Constant))
    return list(found)


def _of_mappings() -> list[str]:
    """What the ready-made ways to read a table are called."""
    return [str(tomllib.loads(path.read_text(encoding="utf-8"))["name"]) for path in sorted(_MAPPINGS.glob("*.toml"))]


def _of_refusals() -> Iterator[tuple[Path, str]]:
    """What is wrong with a file, as whoever found it says it."""
    errors: list[type[ReportError]] = [ReportError, *_beneath(ReportError)]
    for error in errors:
        yield Path(str(inspect.getsourcefile(error))), error.sentence
    for path in sorted((ROOT / "reports").rglob("*.py")):
        if path.stem in _BY_COMMAND:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in _REFUSALS:
                for given in node.args[-1:]:
                    if isinstance(given, ast.Constant) and isinstance(given.value, str):
                        yield path, given.value
                    elif isinstance(given, ast.JoinedStr) and is_pattern(_template(given)):
                        yield path, _template(given)


def _beneath(error: type[ReportError]) -> Iterator[type[ReportError]]:
    for one in error.__subclasses__():
        yield one
        yield from _beneath(one)


def recognised() -> dict[str, str]:
    """Sentences of services and rules that the catalogs should know -> their file."""
    found: dict[str, str] = {}
    for entry in RECOGNISED:
        place = ROOT / entry
        for path in [place] if place.is_file() else sorted(place.rglob("*.py")):
            if path.name == "invented.py":
                continue  # names of an invented organisation, which are nobody's sentences
            for sentence in of_module(path.read_text(encoding="utf-8"), labels=False):
                _keep(found, sentence, path)
    return found


def _keep(found: dict[str, str], sentence: str, path: Path) -> None:
    core = sentence.strip()
    if _WORD.search(core) and core not in NOT_READ:
        found.setdefault(core, str(path.relative_to(ROOT)))


def of_module(source: str, *, labels: bool) -> Iterator[str]:
    """The sentences of a module; with `labels` also single words with a capital letter."""
    tree = ast.parse(source)
    unread = _unread(tree)
    for node in ast.walk(tree):
        if id(node) in unread:
            continue
        if isinstance(node, ast.Call):
            yield from _counted(node)
        if isinstance(node, ast.JoinedStr):
            text = _template(node)
            if is_pattern(text) and _reads(text, labels=labels):
                yield text
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and _reads(node.value, labels=labels):
            yield node.value


def _counted(node: ast.Call) -> Iterator[str]:
    """Both messages of `plural(count, "device")`."""
    if isinstance(node.func, ast.Name) and node.func.id == "plural":
        said = [word.value for word in node.args[1:] if isinstance(word, ast.Constant) and isinstance(word.value, str)]
        if said:
            yield f"{{count}} {said[0]}"
            yield f"{{count}} {said[-1] if len(said) > 1 else said[0] + 's'}"


def _reads(text: str, *, labels: bool) -> bool:
    core = text.strip()
    if _CODE.search(core) or not _WORD.search(core):
        return False
    return bool(_SENTENCE.search(core)) or (labels and bool(_LABEL.search(core) or _IN_PIECES.search(core)))


def _unread(tree: ast.AST) -> set[int]:
    """Docstrings, what goes to a log, annotations, and the inside of sentences with values."""
    unread: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            unread.add(id(node.value))
        elif isinstance(node, ast.JoinedStr):
            unread.update(id(part) for part in node.values)
            unread.update(
                id(inner) for part in node.values if isinstance(part, ast.FormattedValue) and part.format_spec
                for inner in ast.walk(part.format_spec)
            )  # fmt: skip
        elif isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            silent = node.args[:1] if name == "cast" else node.args if name in _LOGGED else ()
            unread.update(id(inner) for argument in silent for inner in ast.walk(argument))
        elif isinstance(node, (ast.AnnAssign, ast.arg, ast.FunctionDef)):
            annotation = node.returns if isinstance(node, ast.FunctionDef) else node.annotation
            unread.update(id(inner) for inner in ast.walk(annotation) if annotation is not None) if annotation else None
    return unread


def _template(node: ast.JoinedStr) -> str:
    """The sentence with `{name}` for each value."""
    parts: list[str] = []
    taken: set[str] = set()
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
        elif isinstance(part, ast.FormattedValue):
            base = name = _name(part.value)
            count = 2
            while name in taken:
                name, count = f"{base}_{count}", count + 1
            taken.add(name)
            parts.append(f"{{{name}}}")
    return "".join(parts)


def _name(node: ast.expr) -> str:
    """A word for a value: the last name its expression holds."""
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Call):
        inner = [argument for argument in node.args if isinstance(argument, (ast.Attribute, ast.Name, ast.Call))]
        if isinstance(node.func, ast.Attribute) and not inner:
            return _name(node.func.value)
        return _name(inner[0]) if inner else _name(node.func)
    if isinstance(node, ast.Subscript):
        return _name(node.value)
    return "value"
