"""Labels to print, and a page to read them with a phone: by its camera where the browser can, else typed or pasted."""

from __future__ import annotations

from flask import Response, make_response, request
from werkzeug.wrappers import Response as AnyResponse

from inventory.console.blueprint import Reply, act, form, page
from inventory.console.forms import Option
from inventory.console.language.speaking import tongue
from inventory.console.web import actor, form_status, fragment, go, here, may, received, show
from inventory.domain.labels import NUMBER, SHEETS, codes_read
from inventory.domain.roles import Permission
from inventory.errors import InventoryError, NotFound
from inventory.services import places, queries, scanning

from . import by_hand

_CAMERA = "camera=(self), geolocation=(), microphone=(), payment=(), usb=()"
"""This page alone may ask for the camera."""
_PAGES = {"D": ("device", "device"), "CT": ("container", "container"), "LT": ("lot", "lot")}


@form("/scan", Permission.READ)
def scan() -> Reply:
    """Read codes and see what they are; compared with a lot, container or place, also what is missing."""
    code = request.args.get("code", "")
    if NUMBER.fullmatch(code):
        return _to(code)
    typed = received()
    if by_hand.holds_parts(typed.value("codes")) and may(Permission.DEVICE_MOVE):
        return by_hand.show_hand_in(typed)
    codes = codes_read(typed.value("codes"))
    result = None
    if codes:
        try:
            result = scanning.look_up(here(), actor(), scanning.LookUp(codes=codes, **_with(typed.value("with"))))
        except InventoryError as error:
            typed.refused(error)
    locations = tuple(Option(place.id, place.name) for place in places.list_locations(here(), actor()))
    names = {option.value: option.label for option in locations}
    html = show("scan.html", form=typed, result=result, locations=locations, names=names)
    answer = make_response(*html) if isinstance(html, tuple) else make_response(html)
    answer.status_code = form_status(typed)
    answer.headers["Permissions-Policy"] = _CAMERA
    return answer


@page("/scan/read")
def scan_read() -> Reply:
    """What one code is, as a line for the list of what was read; compared with nothing but what it is told."""
    (code, *_) = codes_read(request.args.get("code", "")[:200]) or ("",)
    if not code:
        raise NotFound("code", "")
    compared = _with(request.args.get("with", "")[:32])
    result = scanning.look_up(here(), actor(), scanning.LookUp(codes=(code,), **compared))
    locations = {place.id: place.name for place in places.list_locations(here(), actor())}
    return fragment("scan-read.html", one=result.codes[0], names=locations)


def _to(code: str) -> AnyResponse:
    """The page of what a label names."""
    endpoint, part = _PAGES[code.partition("-")[0]]
    if endpoint == "device":
        queries.device(here(), actor(), code)
    return go(endpoint, **{part: code})


def _with(number: str) -> dict[str, str]:
    """What is compared with, by its number."""
    kind = {"LT": "lot", "CT": "container", "L": "location"}.get(number.strip().partition("-")[0])
    if not number.strip():
        return {}
    if kind is None:
        raise NotFound("lot, container or place", number[:64])
    return {kind: number.strip()}


@page("/labels")
def labels() -> Reply:
    """Choose what is to be labelled."""
    typed = received()
    typed.values.setdefault("sheet", "70x37")
    sheets = tuple(Option(name, sheet.words) for name, sheet in SHEETS.items())
    return show("labels.html", form=typed, sheets=sheets)


@act("/labels.pdf", Permission.READ)
def labels_file() -> Reply:
    """The sheet of labels."""
    sent = request.form
    skip = sent.get("skip", "0").strip() or "0"
    command = scanning.PrintLabels(
        devices=codes_read(sent.get("devices", "")),
        containers=codes_read(sent.get("containers", "")),
        lots=codes_read(sent.get("lots", "")),
        contents=sent.get("contents") == "yes",
        sheet=sent.get("sheet", "70x37"),
        skip=int(skip) if skip.isascii() and skip.isdigit() and len(skip) < 4 else -1,
        language=tongue(),
    )
    answer = Response(scanning.labels(here(), actor(), command), content_type="application/pdf")
    answer.headers.set("Content-Disposition", "attachment", filename="labels.pdf")
    return answer
