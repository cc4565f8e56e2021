"""Balance sheets: what was declared, observed, disposed of and is here, and what does not agree."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from typing import Final

from flask import request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Form, Option
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, go, here, perform, posted, received, show, show_sheet
from inventory.domain.balance import ScopeKind
from inventory.domain.exceptions import TITLES
from inventory.domain.roles import Permission
from inventory.services import reconciliation
from inventory.services.queries import balances as service
from inventory.services.views.balances import BalanceView

from ._people import somebody

SCOPES: Final = (
    Option("host", "A host", "Devices that are, or were last seen, on it."),
    Option("lot", "A lot", "Devices that are in it."),
    Option("place", "A place", "Devices that somebody put there."),
    Option("site", "A site", "Devices at its places and in its hosts."),
    Option("everything", "Everything"),
)
_CLOSED: Final = {"": False, "closed": True, "all": None}


@page("/balances")
def balances_page() -> Reply:
    """Open ones first."""
    shown = request.args.get("state", "")
    found = service.list_balances(
        here(), actor(), closed=_CLOSED.get(shown, False), after=request.args.get("after"), limit=50
    )
    segments = narrowed("state", (("", "Open", None), ("closed", "Closed", None), ("all", "All", None)))
    return show("balances.html", balances=found.items, pager=pager(found, "balances"), segments=segments, shown=shown)


@page("/balances/<balance>")
def balance(balance: str) -> Reply:
    """One sheet."""
    found = service.balance(here(), actor(), balance)
    differences = service.list_differences(here(), actor(), found.id, after=request.args.get("after"), limit=100)
    return show(
        "balance.html",
        balance=found,
        differences=differences.items,
        pager=pager(differences, "differences"),
        origins=_origins(found),
        ends=_ends(found),
        titles=TITLES,
    )


@page("/balances/<balance>/balance.json", Permission.READ_EVIDENCE)
def balance_sheet(balance: str) -> Reply:
    """From which anybody can count again."""
    content = service.sheet_file(here(), actor(), balance)
    return send_file(BytesIO(content), "application/json", as_attachment=True, download_name=f"{balance}.json")


def _origins(found: BalanceView) -> tuple[tuple[str, int], ...]:
    counts = found.counts
    if found.begin is None:
        return (("On the books", counts["before"]),)
    return (
        ("On the books at the beginning", counts["before"]),
        ("Declared or first seen in the period", counts["new"]),
        ("Arrived from another place of ours", counts["arrived"]),
    )


def _ends(found: BalanceView) -> tuple[tuple[str, int, str], ...]:
    """What became of them: words, how many, and the tone where there are any."""
    counts = found.counts
    rows = (
        ("Present", "present", "ok"),
        ("Released through the gate", "released", "ok"),
        ("Physically destroyed", "destroyed", "ok"),
        ("Left unsanitized, by waiver", "waived", "warn"),
        ("Moved to another place of ours", "moved", "ok"),
        ("Gone missing", "missing", "bad"),
        ("Nobody knows where", "unknown", "bad"),
    )
    return tuple((words, counts[name], tone) for words, name, tone in rows)


@form("/balances/new", Permission.BALANCE_CLOSE)
def draw_up_balance() -> Reply:
    """Count a scope."""
    typed = received()
    if posted():
        command = _command(typed)

        def deed() -> AnyResponse:
            found = reconciliation.draw_up(here(), actor(), command)
            return go("balance", balance=found.id, said="balance-drawn")

        done = perform(typed, deed)
        if done is not None:
            return done
    elif not typed.value("scope"):
        typed = Form.starting({"scope": "site", "owner": actor().ref, **dict(request.args)})
    return show_sheet(_sheet(), typed)


def _command(typed: Form) -> reconciliation.DrawUp:
    scope = typed.one_of("scope", SCOPES, "Choose what to count.") or "everything"
    reference = "" if scope == "everything" else typed.text("reference", "Which one? Give its number.", limit=64)
    begin = typed.day("begin")
    last = typed.day("end")
    if begin is not None and last is None:
        typed.fail("end", "A period needs its last day, too.")
    return reconciliation.DrawUp(
        scope=ScopeKind(scope) if not typed.errors.get("scope") else ScopeKind.EVERYTHING,
        reference=reference,
        begin=begin,
        end=None if last is None else last + timedelta(days=1),
        owner=typed.text("owner", limit=64),
    )


def _sheet() -> Sheet:
    owners = somebody()
    return Sheet(
        title="Draw up a balance",
        submit="Count now",
        lead="Declared = observed = disposed + present. Whatever does not agree becomes an exception with an owner.",
        crumbs=(("Balances", url_for("console.balances")),),
        back=url_for("console.balances"),
        consequences=("Nothing is changed about any device; each difference that has no name yet is raised.",),
        fields=(
            Field(kind="choices", name="scope", label="What to count", options=SCOPES),
            Field(
                kind="text", name="reference", label="Which one", required=False, mono=True, limit=64,
                hint="Number of the host (H-0001), lot (LT-00001), place (L-0001) or site (SI-0001).",
            ),
            Field(
                kind="day", name="begin", label="First day of the period", required=False,
                hint="Without days it is counted as it is now. With the last day alone, as it was at its end. UTC.",
            ),
            Field(kind="day", name="end", label="Last day of the period", required=False),
            Field(
                kind="select", name="owner", label="Who answers for differences", options=owners, required=False,
                blank="I do", hint="Of those that have no other owner yet.",
            ),
        ),
    )  # fmt: skip


@form("/balances/<balance>/close", Permission.BALANCE_CLOSE)
def close_balance(balance: str) -> Reply:
    """Count once more, sign and log it."""
    found = service.balance(here(), actor(), balance)
    typed = received()
    if posted():
        command = reconciliation.CloseBalance(
            balance=found.id,
            reason=typed.text("reason", "Say why it may be closed."),
            version=typed.number("version", "", low=0, high=2**53),
        )

        def deed() -> AnyResponse:
            reconciliation.close(here(), actor(), command)
            return go("balance", balance=found.id, said="balance-closed")

        done = perform(typed, deed)
        if done is not None:
            return done
    else:
        typed = Form.starting({"version": str(found.version)})
    return show_sheet(
        Sheet(
            title=f"Close balance {found.id}",
            submit="Count again and close",
            lead=found.words,
            crumbs=(
                ("Balances", url_for("console.balances")),
                (found.id, url_for("console.balance", balance=found.id)),
            ),
            back=url_for("console.balance", balance=found.id),
            consequences=(
                "Everything is counted once more. Where a difference has no answer, nothing is closed.",
                "The sheet is signed, its digest enters the log, and it is never changed again.",
                "Whoever answered one of its differences cannot close it.",
            ),
            fields=(Field(kind="hidden", name="version", label=""), reason()),
        ),
        typed,
    )
