"""What surrounds every page: navigation by role, waiting counts, the reader's account."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from flask import url_for

from inventory.console.formatting import initials
from inventory.domain.roles import Permission, Role
from inventory.services import queries
from inventory.services.context import Context
from inventory.services.sessions import Caller
from inventory.services.views import Dashboard


@dataclass(frozen=True)
class NavItem:
    """One link of the sidebar."""

    label: str
    icon: str
    url: str
    current: bool
    count: int = 0
    count_meaning: str = ""
    hot: bool = False


@dataclass(frozen=True)
class NavGroup:
    """Links that belong together."""

    title: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True)
class Me:
    """The reader."""

    ref: str
    name: str
    initials: str
    roles_text: str
    may_hold_keys: bool


@dataclass(frozen=True)
class Frame:
    """Everything around the page."""

    nav: tuple[NavGroup, ...]
    me: Me
    organisation: str
    version: str
    log_line: str
    search_url: str | None


@dataclass(frozen=True)
class _Entry:
    label: str
    icon: str
    endpoint: str
    permission: Permission
    counted: str = ""
    meaning: str = ""
    for_permission: Permission | None = None
    """The count is hot for who may do something about it."""


_GROUPS: Final[tuple[tuple[str, tuple[_Entry, ...]], ...]] = (
    ("", (_Entry("Home", "home", "home", Permission.READ),)),
    (
        "Assets",
        (
            _Entry("Devices", "drive", "devices", Permission.READ),
            _Entry("Hosts", "host", "hosts", Permission.READ, "hosts_waiting", "to confirm", Permission.HOST_MANAGE),
            _Entry("Places and parties", "place", "places", Permission.READ),
            _Entry("Lots", "box", "lots", Permission.READ),
            _Entry("Containers", "archive", "containers", Permission.READ),
            _Entry("Hand-overs", "exit", "handovers", Permission.READ),
            _Entry("Scan", "search", "scan", Permission.READ),
            _Entry("Imports", "upload", "imports", Permission.DEVICE_DECLARE),
            _Entry("Questions", "eye", "questions", Permission.READ),
            _Entry(
                "Exceptions",
                "alert",
                "exceptions",
                Permission.READ,
                "exceptions_open",
                "open",
                Permission.EXCEPTION_RESOLVE,
            ),
        ),
    ),
    (
        "Data",
        (
            _Entry("Data sets", "data", "data_sets", Permission.READ),
            _Entry("Exposure", "eye", "exposure", Permission.READ),
            _Entry("Erasure cases", "case", "cases", Permission.READ, "cases_open", "open", Permission.CASE_MANAGE),
            _Entry("Holds", "hold", "holds", Permission.READ, "holds_active", "active"),
        ),
    ),
    (
        "Work",
        (
            _Entry("Orders", "order", "orders", Permission.READ),
            _Entry(
                "To approve",
                "sign",
                "orders_to_approve",
                Permission.ORDER_APPROVE,
                "approvals_waiting",
                "waiting",
                Permission.ORDER_APPROVE,
            ),
            _Entry(
                "To validate",
                "inbox",
                "orders_to_validate",
                Permission.RECORD_VALIDATE,
                "validations_waiting",
                "waiting",
                Permission.RECORD_VALIDATE,
            ),
            _Entry("Readings", "eye", "readings", Permission.READ),
            _Entry("Samples", "check", "samples", Permission.READ),
            _Entry("Certificates", "certificate", "certificates", Permission.READ_EVIDENCE),
            _Entry("Audit packs", "archive", "audit_packs", Permission.AUDIT_EXPORT),
            _Entry("Balances", "half", "balances", Permission.READ),
            _Entry("Exports", "download", "exports", Permission.READ),
            _Entry("Documents", "certificate", "papers", Permission.READ_EVIDENCE),
        ),
    ),
    (
        "Trust",
        (
            _Entry("Log", "log", "log", Permission.READ_EVIDENCE),
            _Entry("Events", "events", "events", Permission.READ_EVENTS),
            _Entry("Webhooks", "link", "webhooks", Permission.READ_EVENTS),
            _Entry("Policy", "policy", "policy", Permission.READ),
            _Entry(
                "Roster and keys",
                "roster",
                "roster",
                Permission.READ,
                "approver_keys_waiting",
                "to confirm",
                Permission.APPROVER_KEY_CONFIRM,
            ),
            _Entry("People", "people", "people", Permission.READ),
            _Entry("Sites and teams", "place", "sites", Permission.READ),
            _Entry("Who may do what", "people", "duties", Permission.READ_EVENTS),
        ),
    ),
)


@cache
def _version() -> str:
    try:
        return version("sanitrail")
    except PackageNotFoundError:
        return "from a source tree"


def _current(path: str, url: str, home: str) -> bool:
    return path == url if url == home else path == url or path.startswith(url + "/")


def _item(entry: _Entry, caller: Caller, path: str, dashboard: Dashboard | None) -> NavItem:
    url = url_for(f"console.{entry.endpoint}")
    count = getattr(dashboard, entry.counted) if entry.counted and dashboard is not None else 0
    hot = entry.for_permission is not None and caller.actor.may(entry.for_permission)
    return NavItem(
        entry.label, entry.icon, url, _current(path, url, url_for("console.home")), count, entry.meaning, hot
    )


def build_frame(context: Context, caller: Caller, path: str) -> Frame:
    """The frame for this reader at this address."""
    actor, person = caller.actor, caller.person
    reads = actor.may(Permission.READ)
    dashboard = queries.dashboard(context, actor) if reads else None
    groups = tuple(
        NavGroup(
            title, tuple(_item(entry, caller, path, dashboard) for entry in entries if actor.may(entry.permission))
        )
        for title, entries in _GROUPS
    )
    name = person.name or person.login
    return Frame(
        nav=tuple(group for group in groups if group.items),
        me=Me(
            ref=person.ref,
            name=name,
            initials=initials(name),
            roles_text=roles_text(person.roles),
            may_hold_keys=actor.may(Permission.APPROVER_KEY_REGISTER),
        ),
        organisation=context.settings.organisation.name,
        version=_version(),
        log_line=f"Log: {dashboard.log_size} entries" if dashboard is not None else "",
        search_url=url_for("console.search") if reads else None,
    )


def roles_text(roles: frozenset[Role]) -> str:
    """Roles in the order of the table, in words."""
    return ", ".join(str(role).replace("_", " ") for role in Role if role in roles) or "no role"
