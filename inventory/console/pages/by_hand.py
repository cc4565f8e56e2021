"""Work carried by hand: job bundles to hosts without a network, and what is carried back."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from flask import make_response, request, send_file, url_for
from werkzeug.wrappers import Response as AnyResponse

from inventory.code_sheets import small_picture
from inventory.console.blueprint import Reply, form, page
from inventory.console.forms import Form
from inventory.console.language.speaking import tongue, words
from inventory.console.sheets import Field, Sheet
from inventory.console.web import (
    actor,
    form_status,
    go,
    here,
    perform,
    posted,
    received,
    show,
    show_sheet,
)
from inventory.domain.roles import Permission
from inventory.errors import InventoryError
from inventory.services import job_bundles, queries, return_bundles
from reports.canonical import canonical, parse_strict
from reports.errors import MalformedDocument
from reports.numbered import split_texts

from ._people import somebody

_LARGEST: Final = 7 * 1024 * 1024
_CAMERA: Final = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"
_PARTS: Final = "SANITRAIL:1:"


@page("/by-hand")
def by_hand() -> Reply:
    """What is out, and what came back."""
    jobs = job_bundles.list_bundles(here(), actor())
    returned = return_bundles.list_bundles(here(), actor())
    return show("by-hand.html", jobs=jobs, returned=returned, now=here().now())


@form("/hosts/<host>/job-bundles/new", Permission.ORDER_REQUEST)
def make_job_bundle(host: str) -> Reply:
    """Make work to be carried to a host."""
    found = queries.host(here(), actor(), host)
    typed = received() if posted() else Form.starting({"hours": "72", "courier": actor().ref})
    if posted():
        hours = typed.number("hours", "Say for how many hours it may be begun: 1 to 336.", low=1, high=336)
        courier, lot = typed.optional("courier", limit=128), typed.optional("lot", limit=64)

        def deed() -> AnyResponse:
            command = job_bundles.IssueJobBundle(host=found.id, hours=hours or 0, courier=courier, lot=lot)
            made = job_bundles.issue(here(), actor(), command)
            return go("job_bundle", said="job-bundle-made", host=made.host, bundle=made.number)

        done = perform(typed, deed)
        if done is not None:
            return done
    goes, left_out = job_bundles.preview(here(), actor(), found.id)
    couriers = somebody()
    facts = [("Orders that go along", ", ".join(goes) or words("none can be begun now"))]
    facts += [(one.order, one.reason) for one in left_out]
    return show_sheet(
        Sheet(
            title=f"Make a job bundle for {found.name}",
            submit="Make the bundle",
            lead="Work for a host without a network: signed for its agent alone, carried there as a file or as codes.",
            crumbs=(("By hand", url_for("console.by_hand")), (found.name, url_for("console.host", host=found.id))),
            back=url_for("console.host", host=found.id),
            facts=tuple(facts),
            warning=True,
            consequences=(
                "The answer about holds is given now, for as long as the bundle may be begun.",
                "A hold that comes later reaches the host only with the next bundle.",
                "The media of these orders count as being sanitized from now on, until their records are back.",
                "The newest bundle of a host counts alone: what it does not hold may not be begun there any more.",
            ),
            fields=(
                Field(
                    kind="number",
                    name="hours",
                    label="May be begun for (hours)",
                    hint="1 to 336, counted from now.",
                    limit=3,
                ),
                Field(
                    kind="select",
                    name="courier",
                    label="Who carries it",
                    options=couriers,
                    required=False,
                    blank="I do",
                ),
                Field(
                    kind="text",
                    name="lot",
                    label="Only devices of this lot",
                    hint="Number of a lot; empty for every approved order of this host.",
                    required=False,
                    limit=64,
                    mono=True,
                ),
            ),
        ),
        typed,
    )


@page("/hosts/<host>/job-bundles/<bundle>")
def job_bundle(host: str, bundle: str) -> Reply:
    """What is in a bundle, and how it is carried."""
    found = job_bundles.one_bundle(here(), actor(), host, job_bundles.numbered(bundle))
    return show("job-bundle.html", bundle=found, now=here().now())


@page("/hosts/<host>/job-bundles/<bundle>/file", Permission.ORDER_REQUEST)
def job_bundle_file(host: str, bundle: str) -> Reply:
    """The file to carry."""
    number = job_bundles.numbered(bundle)
    content = canonical(job_bundles.envelope_of(here(), actor(), host, number))
    return _download(content, f"job-bundle-{host}-{number}.json")


@page("/hosts/<host>/job-bundles/<bundle>/codes", Permission.ORDER_REQUEST)
def job_bundle_codes(host: str, bundle: str) -> Reply:
    """The bundle as codes on the screen."""
    number = job_bundles.numbered(bundle)
    found = job_bundles.one_bundle(here(), actor(), host, number)
    texts = job_bundles.texts_of(here(), actor(), host, number)
    return show("job-bundle-codes.html", bundle=found, codes=[small_picture(text) for text in texts])


@page("/hosts/<host>/job-bundles/<bundle>/codes.pdf", Permission.ORDER_REQUEST)
def job_bundle_sheet(host: str, bundle: str) -> Reply:
    """The bundle as codes on paper."""
    number = job_bundles.numbered(bundle)
    content = job_bundles.sheet(here(), actor(), host, number, tongue())
    name = f"job-bundle-{host}-{number}.pdf"
    return send_file(BytesIO(content), "application/pdf", as_attachment=True, download_name=name)


@form("/by-hand/hand-in", Permission.DEVICE_MOVE)
def hand_in() -> Reply:
    """Hand in what a host had carried back: a file, or its codes."""
    typed = received() if posted() else Form.starting({"courier": actor().ref})
    if posted():
        envelope, parts = _brought(typed)
        courier = typed.optional("courier", limit=128)

        def deed() -> AnyResponse:
            command = return_bundles.ReceiveReturnBundle(envelope=envelope, parts=parts, courier=courier)
            taken = return_bundles.receive(here(), actor(), command)
            if taken.new:
                return go("return_bundle", said="return-bundle-taken", returned=taken.sha256)
            return go("return_bundle", said="return-bundle-known", returned=taken.sha256)

        done = perform(typed, deed)
        if done is not None:
            return done
    return show_hand_in(typed)


def show_hand_in(typed: Form) -> Reply:
    """The form; the camera may be used on it."""
    couriers = somebody()
    html = show("hand-in.html", form=typed, couriers=couriers)
    answer = make_response(*html) if isinstance(html, tuple) else make_response(html)
    answer.status_code = form_status(typed)
    answer.headers["Permissions-Policy"] = _CAMERA
    return answer


def holds_parts(codes: str) -> bool:
    """Whether what was scanned are the codes of a bundle."""
    return codes.lstrip().startswith(_PARTS)


@page("/by-hand/returned/<returned>")
def return_bundle(returned: str) -> Reply:
    """What became of each part of a bundle that was handed in."""
    found = return_bundles.one_bundle(here(), actor(), returned)
    return show("return-bundle.html", bundle=found)


@form("/by-hand/introduce", Permission.HOST_MANAGE)
def introduce_host() -> Reply:
    """Take in the introduction of a host without a network; the answer is a file to carry back."""
    typed = received()
    if posted():
        envelope = _file(typed)
        if envelope is None:
            typed.fail("file", "Choose the file that the host's command wrote.")
        else:
            try:
                answer = return_bundles.introduce(here(), actor(), envelope)
                content = answer.model_dump_json(by_alias=True).encode()
                return _download(content, f"introduced-{answer.reply.host}.json")
            except InventoryError as error:
                typed.refused(error)
    return show("introduce-host.html", form_status(typed), form=typed)


def _brought(typed: Form) -> tuple[dict[str, Any] | None, tuple[str, ...]]:
    """What was handed in, as file or as codes."""
    envelope = _file(typed)
    if envelope is not None:
        return envelope, ()
    parts = split_texts(typed.value("codes"))
    if not parts:
        typed.fail("codes", "Choose the file, or read the codes.")
    return None, parts


def _file(typed: Form) -> dict[str, Any] | None:
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        return None
    try:
        document = parse_strict(sent.stream.read(_LARGEST + 1), "bundle", max_bytes=_LARGEST)
    except MalformedDocument:
        document = None
    if not isinstance(document, dict):
        typed.fail("file", "This is no bundle.")
        return None
    return document


def _download(content: bytes, name: str) -> AnyResponse:
    return send_file(BytesIO(content), "application/json", as_attachment=True, download_name=name)
