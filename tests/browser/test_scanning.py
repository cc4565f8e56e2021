"""A phone's camera reads labels into the field; without a reader in the browser there is no button, and typing does."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

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


def test_without_a_reader_there_is_no_camera_button_and_typing_does(told: tuple[Console, Story]) -> None:
    console, story = told
    with console.someone("vic") as (page, complaints):
        page.goto("/console/scan")
        expect(page.get_by_role("button", name="Use the camera")).to_be_hidden()
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
