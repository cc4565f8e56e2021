"""The host's own last word: what its administrator allows, whoever orders what. Pure; `rules_file.py` does the reading.

A never-touch entry names a medium by one or more facts; all of them must match. A fact the medium does not report
could be the one, so the entry then counts as matching: unknown never grants.
"""

from __future__ import annotations

import datetime as dt
import fnmatch
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from inventory.contract.v1.common import Method, Sha256
from inventory.contract.v1.orders import ApproverRole
from sanitizer.planning import HOST
from sanitizer.techniques import TECHNIQUES

from .refusals import (
    MethodForbiddenHere,
    NeverTouch,
    NeverTouchUnknown,
    OutsideMaintenanceWindow,
    TechniqueForbiddenHere,
    TooManyDevices,
)

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_HOUR = dt.timedelta(hours=1)
_FACTS = ("fingerprint", "serial", "wwn", "model", "slot", "transport")
_NAME = Annotated[str, Field(min_length=1, max_length=256)]

EXAMPLE = """\
# Sanitrail: what may be done on this host, whoever orders what. Owner root, writable by root only;
# if this file is missing, unreadable or not root's alone, everything is refused.
# `sanitrail-agent rules check` shows how it is understood.

allowed_methods = ["clear"]      # of: clear, purge
#allowed_techniques = ["overwrite", "nvme-sanitize-*"]   # only these; without this line all
#forbidden_techniques = ["ata-security-*"]               # never these, whatever is allowed above
# Techniques by name (docs/techniques.md); * and ? are wildcards. Every step of a combination must be allowed.
# What `auto` would take on a medium is held against them too.
max_devices_per_hour = 4         # a runaway service stops here
minimum_approvals = 2            # never fewer, whatever order and roster say
#approver_roles = ["privacy_officer"]   # must be among those who approve, each held by another person, by the pinned roster

#dry_run = true                  # orders are checked and answered with what would be done; nothing is ever written

# Media that are never touched. All facts in one entry must match; * and ? are wildcards.
# A fact the medium does not report counts as a match.
#[[never_touch]]
#path = "/dev/disk/by-path/pci-0000:00:17.0-ata-1*"
#reason = "system disks"
#[[never_touch]]
#fingerprint = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#reason = "the database"

# Runs begin only inside a window; without any window, always. A run that has begun is not stopped by its end.
#[[maintenance_window]]
#days = ["mon", "tue", "wed", "thu", "fri"]
#from = "20:00"
#to = "06:00"                    # the next day
#timezone = "Europe/Berlin"
"""


@dataclass(frozen=True)
class MediumFacts:
    """What a never-touch entry may ask about. None: the medium, or the kernel, does not say."""

    fingerprint: str
    serial: str | None
    wwn: str | None
    model: str | None
    slot: str | None
    transport: str | None
    names: frozenset[str] | None
    """Every name of its node, symbolic links included."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class NeverTouchEntry(_Table):
    """One protected medium, or family of media."""

    fingerprint: Sha256 | None = None
    serial: _NAME | None = None
    wwn: _NAME | None = None
    model: _NAME | None = None
    slot: _NAME | None = None
    transport: _NAME | None = None
    path: _NAME | None = None
    reason: Annotated[str, Field(max_length=200)] = ""

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not any(getattr(self, fact) for fact in (*_FACTS, "path")):
            raise ValueError("names no medium")
        return self

    def matches(self, medium: MediumFacts) -> bool | None:
        """Whether this entry is about the medium; None where a fact it asks for is unknown and no other excludes it."""
        answers = [_match(getattr(self, fact), getattr(medium, fact)) for fact in _FACTS if getattr(self, fact)]
        if self.path is not None:
            answers.append(_match_any(self.path, medium.names))
        if False in answers:
            return False
        return None if None in answers else True

    def describe(self) -> str:
        """The entry in one line."""
        facts = ", ".join(f"{fact} {getattr(self, fact)}" for fact in (*_FACTS, "path") if getattr(self, fact))
        return f"{facts} ({self.reason})" if self.reason else facts


class Window(_Table):
    """When runs may begin. A window past midnight belongs to the day it begins on."""

    days: Annotated[tuple[Day, ...], Field(min_length=1)] = _DAYS
    from_: Annotated[dt.time, Field(alias="from")]
    to: dt.time
    timezone: str = "UTC"

    @field_validator("from_", "to", mode="before")
    @classmethod
    def _time(cls, value: object) -> object:
        if not isinstance(value, (str, dt.time)):  # pydantic would take a number for seconds after midnight
            raise ValueError('must be written like "22:30"')  # noqa: TRY004 - pydantic turns ValueError into its own error
        return value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"no such time zone: {value}") from error
        return value

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.from_ == self.to:
            raise ValueError("begins when it ends")
        return self

    def contains(self, moment: dt.datetime) -> bool:
        """Whether `moment` lies in `[from, to)` of one of the days."""
        local = moment.astimezone(ZoneInfo(self.timezone))
        today = _DAYS[local.weekday()]
        clock = local.time()
        if self.from_ < self.to:
            return today in self.days and self.from_ <= clock < self.to
        yesterday = _DAYS[local.weekday() - 1]
        return (today in self.days and clock >= self.from_) or (yesterday in self.days and clock < self.to)

    def describe(self) -> str:
        """The window in one line."""
        return f"{' '.join(self.days)} {self.from_:%H:%M}-{self.to:%H:%M} {self.timezone}"


def _known(pattern: str) -> str:
    """A misspelt name would allow, or forbid, nothing at all."""
    if not fnmatch.filter((HOST, *TECHNIQUES), pattern):
        raise ValueError(f"no technique is named like {pattern}")
    return pattern


Known = Annotated[_NAME, AfterValidator(_known)]


class LocalRules(_Table):
    """The rules in force. Methods raise the refusal, or return: there is nothing to forget to look at."""

    allowed_methods: Annotated[tuple[Method, ...], Field(max_length=3)]
    allowed_techniques: tuple[Known, ...] | None = None
    """None: all. Names or patterns."""
    forbidden_techniques: tuple[Known, ...] = ()
    max_devices_per_hour: Annotated[int, Field(ge=0, le=10_000)]
    minimum_approvals: Annotated[int, Field(ge=1, le=9)] = 2
    approver_roles: Annotated[tuple[ApproverRole, ...], Field(max_length=9)] = ()
    """Roles among those who approve, whatever the order says; each held by another person of the pinned roster."""
    dry_run: bool = False
    """Orders are taken, checked up to the last point, answered with what would be done, and nothing is ever written."""
    never_touch: tuple[NeverTouchEntry, ...] = ()
    maintenance_window: tuple[Window, ...] = ()

    def permit_method(self, method: str) -> None:
        """Raises `MethodForbiddenHere` unless the method is allowed by name."""
        if method not in self.allowed_methods:
            raise MethodForbiddenHere(f"Allowed: {', '.join(self.allowed_methods) or 'none'}; ordered: {method}.")

    def permit_techniques(self, steps: Sequence[str]) -> None:
        """Raises `TechniqueForbiddenHere` unless every step is allowed, and none forbidden."""
        for step in steps:
            if any(fnmatch.fnmatchcase(step, pattern) for pattern in self.forbidden_techniques):
                raise TechniqueForbiddenHere(f"Forbidden: {', '.join(self.forbidden_techniques)}; ordered: {step}.")
            allowed = self.allowed_techniques
            if allowed is not None and not any(fnmatch.fnmatchcase(step, pattern) for pattern in allowed):
                raise TechniqueForbiddenHere(f"Allowed: {', '.join(allowed) or 'none'}; ordered: {step}.")

    def permit_medium(self, medium: MediumFacts) -> None:
        """Raises `NeverTouch` or `NeverTouchUnknown` for a protected medium, or one that may be it."""
        for entry in self.never_touch:
            match entry.matches(medium):
                case True:
                    raise NeverTouch(entry.describe())
                case None:
                    raise NeverTouchUnknown(entry.describe())

    def permit_start(self, now: dt.datetime, starts: Iterable[dt.datetime]) -> None:
        """Raises `OutsideMaintenanceWindow` or `TooManyDevices`.

        Args:
            now: UTC.
            starts: When this host began runs before. Those in the future (the clock was set back) count as recent.
        """
        if self.maintenance_window and not any(window.contains(now) for window in self.maintenance_window):
            raise OutsideMaintenanceWindow("; ".join(window.describe() for window in self.maintenance_window))
        recent = sum(now - start < _HOUR for start in starts)
        if recent >= self.max_devices_per_hour:
            raise TooManyDevices(f"{recent} begun, {self.max_devices_per_hour} allowed.")


def parse(text: str) -> LocalRules:
    """Read the rules from TOML.

    Raises:
        ValueError: Not TOML, an unknown key, or a value that is not allowed; the message names the place.
    """
    try:
        return LocalRules.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not TOML: {error}") from error
    except ValidationError as error:
        raise ValueError("; ".join(_problems(error))) from error


def _problems(error: ValidationError) -> Sequence[str]:
    found: list[Any] = list(error.errors(include_url=False, include_input=False))
    return [f"{'.'.join(map(str, item['loc'])) or 'rules'}: {item['msg']}" for item in found]


def _match(pattern: str, value: str | None) -> bool | None:
    return None if value is None else fnmatch.fnmatchcase(value.strip().lower(), pattern.strip().lower())


def _match_any(pattern: str, names: frozenset[str] | None) -> bool | None:
    return None if names is None else any(fnmatch.fnmatchcase(name, pattern) for name in names)
