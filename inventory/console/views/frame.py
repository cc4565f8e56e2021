"""What surrounds every page: navigation by role, waiting counts, the reader's account."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Final

from flask import g, request, url_for

from inventory.console.formatting import initials
from inventory.console.language.speaking import words
from inventory.domain.roles import Permission, Role
from inventory.services import queries
from inventory.services.context import Actor, Context
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
    """Links that belong together; one with a title folds."""

    key: str
    title: str
    items: tuple[NavItem, ...]
    open: bool = True

    @property
    def hot(self) -> int:
        """How much waits inside for this reader: shown on the title while the group is folded."""
        return sum(item.count for item in self.items if item.hot)


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


_GROUPS: Final[tuple[tuple[str, str, tuple[_Entry, ...]], ...]] = (
    (
        "",
        "",
        (
            _Entry("Home", "home", "home", Permission.READ),
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
            _Entry("For the custodian", "archive", "custody_queue", Permission.DEVICE_RELEASE),
            _Entry("For privacy", "case", "privacy_queue", Permission.CASE_MANAGE),
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
        "assets",
        "Assets",
        (
            _Entry("Devices", "drive", "devices", Permission.READ),
            _Entry("Hosts", "host", "hosts", Permission.READ, "hosts_waiting", "to confirm", Permission.HOST_MANAGE),
            _Entry("Places and parties", "place", "places", Permission.READ),
            _Entry("Lots", "box", "lots", Permission.READ),
            _Entry("Containers", "container", "containers", Permission.READ),
            _Entry("Hand-overs", "handover", "handovers", Permission.READ),
            _Entry("Scan", "scan", "scan", Permission.READ),
            _Entry("By hand", "exit", "by_hand", Permission.READ),
            _Entry("Questions", "question", "questions", Permission.READ),
            _Entry("Imports", "upload", "imports", Permission.TABLE_IMPORT),
        ),
    ),
    (
        "data",
        "Data",
        (
            _Entry("Data sets", "data", "data_sets", Permission.READ),
            _Entry("Exposure", "exposure", "exposure", Permission.READ),
            _Entry("Erasure cases", "case", "cases", Permission.READ, "cases_open", "open", Permission.CASE_MANAGE),
            _Entry("Holds", "hold", "holds", Permission.READ, "holds_active", "active"),
        ),
    ),
    (
        "work",
        "Work",
        (
            _Entry("Orders", "order", "orders", Permission.READ),
            _Entry("Wipe room", "screen", "wall", Permission.READ),
            _Entry("Readings", "reading", "readings", Permission.READ),
            _Entry("Samples", "sample", "samples", Permission.READ),
        ),
    ),
    (
        "evidence",
        "Evidence",
        (
            _Entry("Certificates", "certificate", "certificates", Permission.READ_EVIDENCE),
            _Entry("Documents", "file", "papers", Permission.READ_EVIDENCE),
            _Entry("Balances", "balance", "balances", Permission.READ),
            _Entry("Audit packs", "archive", "audit_packs", Permission.AUDIT_EXPORT),
            _Entry("Exports", "download", "exports", Permission.READ),
            _Entry("Log", "log", "log", Permission.READ_EVIDENCE),
            _Entry("Events", "events", "events", Permission.READ_EVENTS),
        ),
    ),
    (
        "organisation",
        "Organisation",
        (
            _Entry("People", "people", "people", Permission.READ),
            _Entry(
                "Roster and keys",
                "roster",
                "roster",
                Permission.READ,
                "approver_keys_waiting",
                "to confirm",
                Permission.APPROVER_KEY_CONFIRM,
            ),
            _Entry("Who may do what", "duties", "duties", Permission.READ_EVENTS),
            _Entry("Sites and teams", "team", "sites", Permission.READ),
            _Entry("Policy", "policy", "policy", Permission.READ),
            _Entry("Webhooks", "webhook", "webhooks", Permission.READ_EVENTS),
            _Entry("API explorer", "code", "explorer", Permission.READ),
        ),
    ),
)
"""Key, title and links of each group. What waits for somebody stands above all groups."""

_OPEN_AT_FIRST: Final = frozenset({"assets", "work"})
"""Groups that are open for whoever has opened and closed none."""


def open_groups(cookie: str | None) -> frozenset[str]:
    """Groups a reader keeps open, from the cookie the page's script writes; words that name no group are nothing."""
    if cookie is None:
        return _OPEN_AT_FIRST
    return frozenset(cookie.split(".")) & {key for key, _, _ in _GROUPS if key}


@cache
def _version() -> str:
    try:
        return version("sanitrail")
    except PackageNotFoundError:
        return "from a source tree"


def _current(path: str, url: str, home: str) -> bool:
    return path == url if url == home else path == url or path.startswith(url + "/")


@cache
def _url(_root: str, endpoint: str) -> str:
    """Where the application lies is all that changes a page's address."""
    return url_for(f"console.{endpoint}")


def _item(entry: _Entry, caller: Caller, path: str, dashboard: Dashboard | None) -> NavItem:
    root = request.script_root
    url = _url(root, entry.endpoint)
    count = getattr(dashboard, entry.counted) if entry.counted and dashboard is not None else 0
    hot = entry.for_permission is not None and caller.actor.may(entry.for_permission)
    return NavItem(entry.label, entry.icon, url, _current(path, url, _url(root, "home")), count, entry.meaning, hot)


def board(context: Context, actor: Actor) -> Dashboard:
    """The counts of the navigation and of the home page, asked once a request."""
    if "console_board" not in g:
        g.console_board = queries.dashboard(context, actor)
    found: Dashboard = g.console_board
    return found


def build_frame(context: Context, caller: Caller, path: str, opened: frozenset[str] = _OPEN_AT_FIRST) -> Frame:
    """The frame for this reader at this address, with the groups they keep open and the one they are in."""
    actor, person = caller.actor, caller.person
    reads = actor.may(Permission.READ)
    dashboard = board(context, actor) if reads else None
    groups = []
    for key, title, entries in _GROUPS:
        items = tuple(_item(entry, caller, path, dashboard) for entry in entries if actor.may(entry.permission))
        opens = not key or key in opened or any(item.current for item in items)
        groups.append(NavGroup(key, title, items, opens))
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
    return ", ".join(words(str(role).replace("_", " ")) for role in Role if role in roles) or "no role"
