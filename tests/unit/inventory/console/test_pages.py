"""Every page, for everybody: shown, refused or absent exactly as the roles say."""

from __future__ import annotations

import gzip
import html
import re
from urllib.parse import urljoin

import pytest

from inventory.console.blueprint import ACCESS, console
from inventory.console.pages import load
from inventory.domain.roles import Permission, Role, may
from inventory.services import people, sessions
from tests.support.console_pages import addresses
from tests.support.console_world import CAST, PASSWORD

from .conftest import Site

load()
PUBLIC = {"set_language", "sign_in", "sign_in_by_sso", "back_from_sso"}
"""Pages for strangers: the way in."""
ELSEWHERE = {"search": 303, "explorer_ask": 303, "open_view": 303, "second_factor": 303}
"""Pages that send on."""
FILES = {
    "statement_pdf",
    "failure_report",
    "certificate_pdf",
    "certificate_bundle",
    "envelope_file",
    "trust_root",
    "paper_pdf",
    "job_bundle_file",
    "job_bundle_sheet",
    "paper_file",
    "paper_folder",
    "audit_pack_file",
    "export_file",
    "list_file",
    "balance_file",
    "balance_sheet",
    "incident_file",
    "sample_file",
    "evidence_file",
    "policy_as_file",
}
SAME_OBJECT = {
    **{(page, login): 409 for page in ("link_sso", "confirm_by_sso") for login in CAST},  # no provider here
    ("approve", "ann"): 409,  # she has signed this order already
    # A table of devices is nothing for who sends tables about other things.
    **{
        ("import_sheet", login): 404
        for login, (_, _, roles) in CAST.items()
        if may(roles, Permission.TABLE_IMPORT) and not may(roles, Permission.DEVICE_DECLARE)
    },
    ("sign_statement", "ben"): 403,  # somebody else is responsible for it
    # What omar may do and did is for himself and for those who read the history.
    **{
        ("duties_of", login): 403
        for login, (_, _, roles) in CAST.items()
        if login != "omar" and not may(roles, Permission.READ_EVENTS)
    },
    **{("failure_report", login): 409 for login in CAST},  # a validated order earns a certificate, no failure report
}


def expected(site: Site, endpoint: str, login: str) -> int:
    access = ACCESS[f"console.{endpoint}"]
    if access.permission is not None and not site.world.actor(login).may(access.permission):
        return 403
    return SAME_OBJECT.get((endpoint, login), ELSEWHERE.get(endpoint, 200))


@pytest.mark.parametrize("login", CAST)
def test_every_page_answers_as_the_readers_roles_say(site: Site, login: str) -> None:
    wrong = []
    for endpoint, path in addresses(site.story).items():
        answer = site.get(login, path)
        if answer.status_code != expected(site, endpoint, login):
            wrong.append((endpoint, answer.status_code, expected(site, endpoint, login)))
    assert not wrong


def test_every_page_that_can_be_read_has_an_address_in_the_walk(site: Site) -> None:
    rules = [
        rule for rule in site.app.url_map.iter_rules() if rule.endpoint in ACCESS and "GET" in (rule.methods or ())
    ]
    assert {rule.endpoint.removeprefix("console.") for rule in rules} - PUBLIC == set(addresses(site.story))


def test_no_page_joins_the_console_past_the_guard(site: Site) -> None:
    registered = {rule.endpoint for rule in site.app.url_map.iter_rules() if rule.endpoint.startswith("console.")}
    assert registered - set(ACCESS) == {"console.static"}
    assert {endpoint.removeprefix("console.") for endpoint, access in ACCESS.items() if access.public} == PUBLIC
    assert console.url_prefix == "/console"


@pytest.mark.parametrize(
    "endpoint", sorted(endpoint.removeprefix("console.") for endpoint, access in ACCESS.items() if not access.public)
)
def test_a_stranger_is_sent_to_sign_in_whatever_they_ask_for(site: Site, endpoint: str) -> None:
    rule = next(rule for rule in site.app.url_map.iter_rules() if rule.endpoint == f"console.{endpoint}")
    path = re.sub(r"<int:[^>]+>", "1", rule.rule)
    path = re.sub(r"<[^>]+>", "x", path)
    client = site.app.test_client()
    method = "GET" if "GET" in (rule.methods or ()) else "POST"
    answer = client.open(path, method=method, base_url=site.base, headers={"Sec-Fetch-Site": "same-origin"})
    assert answer.status_code == 303
    assert answer.location.startswith("/console/sign-in")


def test_after_signing_in_a_reader_stands_where_they_wanted_to_go(site: Site) -> None:
    client = site.app.test_client()
    answer = client.get("/console/devices?state=retired", base_url=site.base)
    assert answer.location == "/console/sign-in?next=/console/devices%3Fstate%3Dretired"
    form = {"login": "vic", "password": PASSWORD, "next": "/console/devices?state=retired"}
    answer = client.post("/console/sign-in", data=form, base_url=site.base, headers={"Sec-Fetch-Site": "same-origin"})
    assert (answer.status_code, answer.location) == (303, "/console/devices?state=retired")


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example/console",
        "/\\evil.example",
        "javascript:alert(1)",
        "/api/v1/people",
        "/console\r\nX: y",
    ],
)
def test_signing_in_never_leads_out_of_the_console(site: Site, address: str) -> None:
    form = {"login": "vic", "password": PASSWORD, "next": address}
    answer = site.app.test_client().post(
        "/console/sign-in", data=form, base_url=site.base, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert (answer.status_code, answer.location) == (303, "/console/")


def test_a_wrong_password_says_nothing_about_which_part_was_wrong_and_keeps_the_login_name(site: Site) -> None:
    said = []
    for login in ("vic", "nobody-of-this-name"):
        form = {"login": login, "password": "wrong wrong wrong", "next": ""}
        answer = site.app.test_client().post(
            "/console/sign-in", data=form, base_url=site.base, headers={"Sec-Fetch-Site": "same-origin"}
        )
        assert answer.status_code == 401
        assert f'value="{login}"' in answer.text
        assert "wrong wrong" not in answer.text
        said.append(re.sub(r'nonce="[^"]+"', "", answer.text).replace(f'value="{login}"', ""))
    assert said[0] == said[1]


def test_somebody_without_a_role_is_told_so_and_sees_nothing(site: Site) -> None:
    command = people.CreatePerson(login="newcomer", name="New Comer", title="", contact="", roles=frozenset())
    view, link = people.create_person(site.world.context, site.world.actor("ines"), command)
    sessions.use_link(site.world.context, sessions.UseLink(secret=link.secret, password=PASSWORD))
    site.world.people["newcomer"] = site.world.people["vic"].__class__(view.ref, "newcomer", site.world.actor("vic"))
    try:
        home = site.get("newcomer", "/")
        assert home.status_code == 200
        assert "You have no role yet" in home.text
        assert "AT-0047" not in home.text
        assert site.get("newcomer", "/devices").status_code == 403
        assert site.get("newcomer", "/account").status_code == 200
    finally:
        del site.world.people["newcomer"]


@pytest.mark.parametrize("login", CAST)
def test_the_navigation_offers_only_pages_that_open(site: Site, login: str) -> None:
    sidebar = site.get(login, "/").text.split('<nav class="sidebar"', 1)[1].split("</nav>", 1)[0]
    links = re.findall(r'class="nav-link" href="/console([^"]*)"', sidebar)
    assert links
    for link in links:
        assert site.get(login, link).status_code == 200, link


def test_a_page_that_is_not_there_says_what_to_do(site: Site) -> None:
    for path in ("/devices/D-999999", "/orders/O-1", "/nothing/here", "/log/99999", "/devices/D-000001/do/vanish"):
        answer = site.get("vic", path) if not path.startswith("/log") else site.get("aud", path)
        assert answer.status_code in {403, 404}, path
        assert "What you can do" in answer.text
        assert "<p>There is nothing here.</p>" not in answer.text, "the title says it"


def test_a_failure_shows_its_number_and_nothing_of_its_inside(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("secret inside")

    monkeypatch.setattr("inventory.services.data.list_data_sets", broken)
    answer = site.get("vic", "/data")
    assert answer.status_code == 500
    assert "secret inside" not in answer.text
    (number,) = re.findall(r"Incident <code>([0-9a-f]{12})</code>", answer.text)
    assert answer.text.count(number) == 1


_BESIDE = re.compile(r'(?:src|href)="(/console/static/[^"#]+)["#]|(?:from|import) "(\./[a-z]+\.js)"|url\("?([^")]+)')


def beside(site: Site, login: str, address: str, known: dict[str, tuple[int, set[str]]]) -> tuple[int, set[str]]:
    """Bytes of a file as it goes over the line, and what it asks for itself."""
    if address not in known:
        path = address.removeprefix("/console")
        answer = site.client(login).get(f"/console{path}", base_url=site.base, headers={"Accept-Encoding": "gzip"})
        assert answer.status_code == 200, address
        packed = answer.headers.get("Content-Encoding") == "gzip"
        known[address] = (len(answer.data), asked_by(gzip.decompress(answer.data) if packed else answer.data, address))
    return known[address]


def asked_by(content: bytes, address: str) -> set[str]:
    """What a page, a sheet or a script makes the browser load."""
    found = {next(filter(None, groups)) for groups in _BESIDE.findall(content.decode(errors="replace"))}
    return {urljoin(address, html.unescape(one)).partition("#")[0] for one in found if not one.startswith("data:")}


@pytest.mark.parametrize("login", CAST)
def test_no_page_weighs_more_than_a_hundred_kilobytes_with_all_that_comes_with_it(site: Site, login: str) -> None:
    known: dict[str, tuple[int, set[str]]] = {}
    heavy = {}
    for endpoint, path in addresses(site.story).items():
        if endpoint in FILES:
            continue
        page = site.client(login).get(f"/console{path}", base_url=site.base, headers={"Accept-Encoding": "gzip"})
        total, waiting, done = len(page.data), asked_by(page.data, f"/console{path}"), set[str]()
        while waiting:
            address = waiting.pop()
            size, further = beside(site, login, address, known)
            done.add(address)
            total, waiting = total + size, waiting | (further - done)
        if total >= 100_000:
            heavy[endpoint] = total
    assert not heavy
    assert len(known) > 10, "sheets, scripts and icons are counted"


def test_pages_may_not_be_kept_and_static_files_may_for_good(site: Site) -> None:
    page = site.get("vic", "/devices")
    assert page.headers["Cache-Control"] == "no-store"
    sheet = re.findall(r'href="(/console/static/css/[^"]+)"', page.text)[0]
    with site.client("vic").get(sheet, base_url=site.base) as kept:
        assert "max-age=31536000" in kept.headers["Cache-Control"]


def test_the_theme_is_remembered_and_nothing_else_is_believed(site: Site) -> None:
    answer = site.post("vic", "/theme", {"theme": "dark", "back": "https://evil.example/"})
    assert answer.location == "/console/"
    assert 'data-theme="dark"' in site.get("vic", "/style").text
    site.client("vic").set_cookie("theme", '"><script>', domain="127.0.0.1")
    assert "data-theme" not in site.get("vic", "/style").text.split("<head>")[0]
    site.client("vic").delete_cookie("theme", domain="127.0.0.1")


def test_a_page_says_only_sentences_of_the_closed_list(site: Site) -> None:
    assert "The device is declared." in site.get("vic", "/devices?said=device-declared").text
    assert "data-said" not in site.get("vic", "/devices?said=%3Cscript%3E").text


@pytest.mark.parametrize("role", list(Role))
def test_somebody_of_the_cast_holds_every_role(role: Role) -> None:
    assert any(role in roles for _, _, roles in CAST.values())
