"""Hand-overs: offered here, counted there; and the page a receiver without an account opens by a link."""

from __future__ import annotations

from datetime import timedelta

from flask import render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, doors, form, page
from inventory.console.formatting import sentence_case
from inventory.console.forms import Form, Option
from inventory.console.language.speaking import utc, words
from inventory.console.sheets import Field, Sheet, reason
from inventory.console.views.lists import narrowed, pager
from inventory.console.web import actor, form_status, go, here, names, perform, posted, received, show, show_sheet
from inventory.domain.handovers import HandoverState
from inventory.domain.labels import codes_read
from inventory.domain.roles import Permission
from inventory.errors import InventoryError, NotSignedIn, TooManyAttempts
from inventory.services import handover_links, handover_offers, places
from inventory.services import handovers as service
from inventory.services.views.handovers import HandoverDetail

from .lots import devices_typed

_LIFETIMES = (
    Option("1", "One day"),
    Option("3", "Three days"),
    Option("7", "A week"),
    Option("30", "Thirty days"),
)


@page("/handovers")
def handovers_page() -> Reply:
    """Hand-overs, newest first."""
    wanted = request.args.get("state", "")
    state = HandoverState(wanted) if wanted in set(HandoverState) else None
    found = service.list_handovers(here(), actor(), state=state, after=request.args.get("after"))
    segments = narrowed("state", [("", "All", None), *((str(one), sentence_case(one), None) for one in HandoverState)])
    return show(
        "handovers.html", handovers=found.items, segments=segments, pager=pager(found, "hand-overs"), names=_names()
    )


def _names() -> dict[str, str]:
    """Places and parties by number; those of other sites keep their numbers."""
    found = {place.id: place.name for place in places.list_locations(here(), actor())}
    return found | {party.id: party.name for party in places.list_parties(here(), actor())}


@page("/handovers/<handover>")
def handover_page(handover: str) -> Reply:
    """One hand-over."""
    return _show(handover)


def _show(handover: str, link: str = "") -> Reply:
    found = service.handover(here(), actor(), handover)
    own = found.offered_by == actor().ref
    return show(
        "handover.html", handover=found, names=_names(), own=own, link=link, lifetimes=_LIFETIMES, form=Form.starting(),
        now=here().now(),
    )  # fmt: skip


@form("/handovers/new", Permission.HANDOVER)
def offer_handover() -> Reply:
    """Offer devices to the other side."""
    typed = received()
    typed.values.setdefault("reuse", "yes")  # what counts unless somebody says otherwise
    if posted():
        lot = typed.optional("lot")
        boxes = codes_read(typed.value("containers"))
        devices = devices_typed(typed, required=not lot and not boxes)
        place, party = typed.optional("to_location"), typed.optional("to_party")
        if place is None and party is None:
            typed.fail("to_location", "Name the place or the party that receives it.")
        command = handover_offers.OfferHandover(
            to_location=place,
            to_party=party,
            lot=lot,
            containers=boxes,
            devices=devices,
            reuse=not typed.has("reuse", "no"),
            destination=typed.text("destination"),
            answer_by=typed.day("answer_by", end=True),
            note=typed.text("note"),
        )

        def deed() -> AnyResponse:
            made = handover_offers.offer(here(), actor(), command)
            return go("handover", said="handover-offered", handover=made.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_sheet(
        Sheet(
            title="Offer a hand-over",
            submit="Offer",
            crumbs=(("Hand-overs", url_for("console.handovers")),),
            back=url_for("console.handovers"),
            consequences=(
                "The gate is asked for each device now, and again when the other side answers.",
                "Nothing changes hands before the other side has counted the same devices and seals.",
            ),
            fields=_offer_fields(),
        ),
        typed,
    )


def _offer_fields() -> tuple[Field, ...]:
    locations = tuple(Option(place, name) for place, name in handover_offers.destinations(here(), actor()))
    parties = tuple(
        Option(party.id, party.name if party.undertaking_valid else f"{party.name}: {words('no valid undertaking')}")
        for party in places.list_parties(here(), actor())
    )
    reuse = (Option("yes", "Yes"), Option("no", "No", "To be destroyed or recycled as material."))
    return (
        Field(kind="text", name="lot", label="Lot", required=False, mono=True, hint="Its number; or what follows."),
        Field(kind="area", name="containers", label="Containers", required=False, hint="Numbers, one a line."),
        Field(
            kind="area", name="devices", label="Devices", required=False, limit=100_000,
            hint="Numbers or asset tags, one a line.",
        ),
        Field(
            kind="select", name="to_location", label="To which place", options=locations, required=False,
            blank="None named",
        ),
        Field(
            kind="select", name="to_party", label="To whom", options=parties, required=False,
            blank="Ourselves, or the place's owner",
        ),
        Field(kind="choices", name="reuse", label="Shall the media be used again?", options=reuse, required=False),
        Field(kind="text", name="destination", label="Where to, in words", required=False, hint="Printed on certificates."),
        Field(kind="day", name="answer_by", label="Answer by", required=False, hint="Empty: in a week."),
        Field(kind="area", name="note", label="Note for the receiver", required=False),
    )  # fmt: skip


def counted_from(typed: Form) -> service.AnswerHandover:
    """What the receiver typed."""
    count = typed.number("count", "How many devices did you count?", low=0, high=20_000)
    return service.AnswerHandover(
        count=count or 0,
        seals=codes_read(typed.value("seals"), 20),
        codes=codes_read(typed.value("codes")),
        remark=typed.text("remark"),
    )


def answer_fields() -> tuple[Field, ...]:
    """What the receiver is asked."""
    return (
        Field(kind="number", name="count", label="Devices you counted"),
        Field(kind="area", name="seals", label="Seals you found", required=False, hint="Their numbers, one a line."),
        Field(
            kind="area", name="codes", label="Codes you read", required=False, limit=100_000,
            hint="Labels, asset tags or serial numbers, one a line. Left empty, the devices are counted only.",
        ),
        Field(kind="area", name="remark", label="What is wrong", required=False, hint="Anything you write here disputes."),
    )  # fmt: skip


@form("/handovers/<handover>/answer", Permission.HANDOVER)
def answer_handover(handover: str) -> Reply:
    """Say what was counted."""
    found = service.handover(here(), actor(), handover)
    typed = received()
    if posted():
        command = counted_from(typed)

        def deed() -> AnyResponse:
            answered = service.answer(here(), actor(), found.id, command)
            if answered.state is HandoverState.ACCEPTED:
                return go("handover", said="handover-accepted", handover=found.id)
            return go("handover", said="handover-disputed", handover=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    address = url_for("console.handover", handover=found.id)
    return show_sheet(
        Sheet(
            title=f"Answer {found.id}",
            submit="Answer",
            lead="Count for yourself. What the sender counted is shown once you have answered.",
            crumbs=(("Hand-overs", url_for("console.handovers")), (found.id, address)),
            back=address,
            sentence=f"You state in your own name how many devices, and which seals, arrived with hand-over {found.id}.",
            facts=_offered_facts(found),
            consequences=(
                "Where both counts and all seals are the same, the devices are in your custody from now on.",
                "Where anything differs, nothing changes hands, and each difference becomes an exception.",
                "Both sides are signed in one statement, which enters the log.",
            ),
            final="An answer is not taken back: a mistake is set right by another hand-over.",
            others=("Whoever offered cannot answer. The gate is asked once more for every device.",),
            fields=answer_fields(),
        ),
        typed,
    )


def _offered_facts(found: HandoverDetail) -> tuple[tuple[str, str], ...]:
    """What may be known before one's own count."""
    known = _names()
    return (
        ("From", known.get(found.from_location, found.from_location)),
        ("To", known.get(found.to_location, found.to_location) if found.to_location else found.destination),
        ("Offered by", names()(found.offered_by)),
        ("Containers", ", ".join(found.containers) or "none"),
        ("Answer by", f"{utc(found.answer_by)} UTC"),
        ("Note", found.note),
    )


@form("/handovers/<handover>/withdraw", Permission.HANDOVER)
def withdraw_handover(handover: str) -> Reply:
    """Take the offer back."""
    found = service.handover(here(), actor(), handover)
    typed = received()
    if posted():
        why = typed.text("reason", "Say why it is taken back.")

        def deed() -> AnyResponse:
            service.withdraw(here(), actor(), found.id, why)
            return go("handover", said="handover-withdrawn", handover=found.id)

        done = perform(typed, deed)
        if done is not None:
            return done
    address = url_for("console.handover", handover=found.id)
    return show_sheet(
        Sheet(
            title=f"Take {found.id} back",
            submit="Take it back",
            crumbs=(("Hand-overs", url_for("console.handovers")), (found.id, address)),
            back=address,
            fields=(reason(),),
        ),
        typed,
    )


@act("/handovers/<handover>/links", Permission.HANDOVER)
def make_handover_link(handover: str) -> Reply:
    """A link for a receiver without an account; shown once."""
    days = request.form.get("days", "7")
    lifetime = timedelta(days=int(days)) if days in {one.value for one in _LIFETIMES} else timedelta(days=7)
    command = handover_links.MakeLink(handover=handover, lifetime=lifetime)
    link, secret = handover_links.make(here(), actor(), command)
    return _show(link.handover, f"{here().settings.external_url}{url_for('doors.downstream', secret=secret)}")


@act("/handovers/<handover>/links/<link>/revoke", Permission.HANDOVER)
def revoke_handover_link(handover: str, link: str) -> Reply:
    """It opens nothing any more."""
    handover_links.revoke(here(), actor(), handover, link)
    return go("handover", said="handover-link-revoked", handover=handover)


@doors.route("/handover/<secret>", methods=["GET", "POST"])
def downstream(secret: str) -> Reply:
    """What a receiver without an account sees: one hand-over, to be counted."""
    address = request.remote_addr or ""
    typed = received() if posted() else Form.starting()
    done = None
    try:
        if posted():
            counted = counted_from(typed)
            name = typed.text("receiver", "Write your name.", limit=200)
            if typed.ok:
                command = handover_links.AnswerByLink(secret=secret, receiver=name, counted=counted)
                done = handover_links.answer(here(), command, address)
        shown = done or handover_links.peek(here(), secret, address)
    except NotSignedIn:
        return render_template("console/downstream.html", handover=None, done=None), 404
    except InventoryError as error:
        if not posted() or error.status == TooManyAttempts.status:
            raise
        typed.refused(error)
        shown = handover_links.peek(here(), secret, address)
    page_html = render_template(
        "console/downstream.html", handover=shown, done=done, form=typed, fields=answer_fields(), action=request.path
    )
    return page_html, form_status(typed)
