"""What surrounds every page: the navigation folds, and static files travel compressed."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

import inventory.console
from inventory.console.views.frame import open_groups

from .conftest import Site

STATIC = Path(inventory.console.__file__).parent / "static"


def groups(html: str) -> dict[str, bool]:
    """Key of each group of the navigation -> whether it is open."""
    return {key: bool(opened) for key, opened in re.findall(r'data-nav="([a-z]+)"( open)?', html)}


def test_the_group_of_the_page_is_open_whatever_the_reader_folded(site: Site) -> None:
    site.client("vic").set_cookie("nav", "", domain="127.0.0.1", path="/console")
    try:
        shown = groups(site.get("vic", "/holds").text)
        assert shown["data"]
        assert not shown["assets"]
    finally:
        site.client("vic").delete_cookie("nav", domain="127.0.0.1", path="/console")


def test_what_waits_stands_above_all_groups_or_on_the_title_of_a_folded_one(site: Site) -> None:
    sidebar = site.get("ines", "/").text.split('<nav class="sidebar"', 1)[1].split("</nav>", 1)[0]
    top = sidebar.split("<details", 1)[0]
    assert 'href="/console/exceptions"' in top
    assert "waiting inside" in sidebar  # a key to confirm, in a folded group


@pytest.mark.parametrize("cookie", ["", "nothing", "assets.assets", '"><script>', "." * 4000])
def test_a_cookie_opens_only_groups_there_are(cookie: str) -> None:
    assert open_groups(cookie) <= {"assets"}


def test_static_files_travel_compressed_to_whoever_takes_that(site: Site) -> None:
    client = site.app.test_client()
    for name in ("css/components.css", "js/ui.js", "img/icons.svg"):
        raw = (STATIC / name).read_bytes()
        packed = client.get(f"/console/static/{name}", base_url=site.base, headers={"Accept-Encoding": "gzip"})
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.data) == raw
        assert int(packed.headers["Content-Length"]) == len(packed.data) < len(raw) / 2
        with client.get(f"/console/static/{name}", base_url=site.base) as plain:
            assert plain.data == raw
            assert "Accept-Encoding" in plain.headers["Vary"]
            assert plain.headers["ETag"] != packed.headers["ETag"]
        again = client.get(
            f"/console/static/{name}",
            base_url=site.base,
            headers={"Accept-Encoding": "gzip", "If-None-Match": packed.headers["ETag"]},
        )
        assert again.status_code in {200, 304}


def test_no_page_travels_compressed_beside_its_secrets(site: Site) -> None:
    answer = site.client("vic").get("/console/devices", base_url=site.base, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in answer.headers
