"""A phone's camera reads labels into the field; without a reader in the browser there is no button, and typing does."""

from __future__ import annotations

import base64
import io
import json

import pytest
import segno
from PIL import Image
from playwright.sync_api import expect

from inventory.services import devices
from reports.envelope import sign
from reports.keys import FileSigner
from reports.numbered import parts_of
from tests.support.browser import Console
from tests.support.capabilities import requires_browser
from tests.support.console_story import Story

pytestmark = [pytest.mark.browser, requires_browser]

READER = """
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code", "code_128"]; }
  async detect() { return [{ rawValue: location.origin + "/console/scan?code=CODE" }, { rawValue: " AT  4711 " }]; }
};
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  const drawing = canvas.getContext("2d");
  setInterval(() => drawing.fillRect(0, 0, Math.random() * 99, 99), 50);
  return canvas.captureStream(20);
};
"""
"""This browser's platform has no reader of codes; the rest of the page is real."""

CODES = """
const codes = CODES;
window.BarcodeDetector = class {
  static async getSupportedFormats() { return ["qr_code"]; }
  async detect(video) {
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
    canvas.getContext("2d").drawImage(video, 0, 0);
    return (await window.readPicture(canvas.toDataURL("image/png"))).map((rawValue) => ({ rawValue }));
  }
};
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 900;
  const drawing = canvas.getContext("2d");
  let turn = 0;
  setInterval(() => {
    const rows = codes[turn++ % codes.length];
    const size = Math.floor(900 / (rows.length + 8));
    drawing.fillStyle = "white";
    drawing.fillRect(0, 0, 900, 900);
    drawing.fillStyle = "black";
    const dot = (x, y) => drawing.fillRect((x + 4) * size, (y + 4) * size, size, size);
    rows.forEach((row, y) => [...row].forEach((dark, x) => dark === "1" && dot(x, y)));
  }, 400);
  return canvas.captureStream(10);
};
"""
"""A terminal that shows one code after the other, before the camera; another reader reads the video's pictures."""


def test_what_the_camera_sees_is_written_into_the_field_once(told: tuple[Console, Story]) -> None:
    console, story = told
    number = story.numbers["declared"]
    with console.someone("carla") as (page, complaints):
        page.add_init_script(READER.replace("CODE", number))
        page.goto("/console/scan")
        page.get_by_role("button", name="Use the camera").click()
        codes = page.get_by_label("Codes")
        expect(codes).to_have_value(f"{number}\nAT 4711\n")
        expect(page.locator("[data-read-list]").get_by_role("link", name=number)).to_be_visible()
        expect(page.locator("[data-read=bad]")).to_contain_text("AT 4711")
        page.get_by_role("button", name="Stop").click()
        expect(page.get_by_role("button", name="Use the camera")).to_be_visible()
        page.get_by_role("button", name="Look up").click()
        expect(page.get_by_role("link", name=number)).to_be_visible()
        assert complaints.found == []


@pytest.mark.parametrize(
    ("name", "said"),
    [("NotAllowedError", "keeps the camera from this page"), ("NotFoundError", "No camera was found")],
)
def test_a_camera_that_is_refused_or_absent_is_said_in_words_and_typing_does(
    told: tuple[Console, Story], name: str, said: str
) -> None:
    console, story = told
    refusing = "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('no', 'NAME'); };"
    with console.someone("carla", width=390) as (page, complaints):
        page.add_init_script(READER + refusing.replace("NAME", name))
        page.goto("/console/scan")
        page.get_by_role("button", name="Use the camera").click()
        expect(page.locator("[data-camera-status]")).to_contain_text(said)
        expect(page.get_by_role("button", name="Use the camera")).to_be_visible()
        page.get_by_label("Codes").fill(story.numbers["declared"])
        page.get_by_role("button", name="Look up").click()
        expect(page.get_by_role("link", name=story.numbers["declared"])).to_be_visible()
        assert complaints.found == []


def test_a_serial_number_of_two_devices_is_no_answer_and_leads_to_both(told: tuple[Console, Story]) -> None:
    console, story = told
    both = []
    for model in ("ST2000", "WD2000"):
        one = devices.DeclareDevice(asset_tag=f"TWIN-{model}", serial="TWIN-77", model=model, source="shelf")
        both.append(devices.declare(story.world.context, story.world.actor("carla"), one).id)
    with console.someone("carla", width=390) as (page, complaints):
        page.goto("/console/scan")
        page.locator("main").focus()
        page.keyboard.type("TWIN-77")
        page.keyboard.press("Enter")
        line = page.locator("[data-read=bad]")
        expect(line).to_contain_text("Which one?")
        expect(line).to_contain_text(", ".join(both))
        line.get_by_role("link", name="TWIN-77").click()
        for number in both:
            expect(page.locator(f'main a[href$="/devices/{number}"]').first).to_be_visible()
        assert complaints.found == []


def test_without_a_reader_there_is_no_camera_button_and_typing_does(told: tuple[Console, Story]) -> None:
    console, story = told
    with console.someone("vic") as (page, complaints):
        page.goto("/console/scan")
        expect(page.get_by_role("button", name="Use the camera")).to_be_hidden()
        expect(page.locator("[data-camera-status]")).to_contain_text("does not read codes by itself")
        page.get_by_label("Codes").fill(story.numbers["declared"])
        page.get_by_role("button", name="Look up").click()
        expect(page.get_by_role("link", name=story.numbers["declared"])).to_be_visible()
        assert complaints.found == []


def test_a_scanner_that_types_like_a_keyboard_is_read_wherever_the_focus_is(told: tuple[Console, Story]) -> None:
    console, story = told
    number = story.numbers["declared"]
    with console.someone("carla") as (page, complaints):
        page.goto("/console/scan")
        expect(page.get_by_label("Codes")).to_be_visible()
        page.locator("main").focus()
        for code in (number, "NOBODY-KNOWS-IT"):
            page.keyboard.type(code)
            page.keyboard.press("Enter")
        expect(page.locator("[data-read=bad]")).to_contain_text("NOBODY-KNOWS-IT")
        expect(page.locator("[data-read-list]").get_by_role("link", name=number)).to_be_visible()
        expect(page.get_by_label("Codes")).to_have_value(f"{number}\nNOBODY-KNOWS-IT\n")
        assert complaints.found == []


def _read_picture(address: str) -> list[str]:
    zxingcpp = pytest.importorskip("zxingcpp")
    with Image.open(io.BytesIO(base64.b64decode(address.partition(",")[2]))) as picture:
        found = zxingcpp.read_barcodes(
            picture.convert("L"), formats=zxingcpp.BarcodeFormats(zxingcpp.BarcodeFormat.QRCode)
        )
    return [one.text for one in found]


def test_a_row_of_codes_is_read_off_a_screen_until_nothing_is_missing_and_handed_in(
    told: tuple[Console, Story],
) -> None:
    console, _ = told
    body = {"schema": "sanitrail/return-bundle/1", "words": [f"{number:x}" for number in range(900, 1400)]}
    parts = parts_of(sign("return-bundle", body, FileSigner.generate()))
    assert len(parts) > 1
    matrices = [["".join(map(str, row)) for row in segno.make(part, error="m").matrix] for part in parts]
    with console.someone("carla") as (page, complaints):
        page.expose_function("readPicture", _read_picture)
        page.add_init_script(CODES.replace("CODES", json.dumps(matrices), 1))
        page.goto("/console/by-hand/hand-in")
        page.get_by_role("button", name="Use the camera").click()
        expect(page.locator("[data-camera-status]")).to_have_text("Every part was read. Hand it in.", timeout=30_000)
        assert sorted(page.get_by_label("Codes").input_value().split()) == sorted(parts)
        page.get_by_role("button", name="Stop").click()
        assert complaints.found == []
        page.get_by_role("button", name="Hand it in").click()
        expect(page.get_by_role("main")).to_contain_text("signed")
