"""Anybody may have a document checked: what is answered, what is kept (nothing), and what hostile uploads achieve (nothing)."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from inventory.api import uploads
from inventory.api.problems import ApiError
from inventory.domain.roles import Role
from inventory.errors import TooCostlyToCheck
from inventory.models import LogEntry, Seal
from inventory.services import verification
from tests.support.http_world import BASE, HttpWorld, problem

FROZEN = Path(__file__).parents[2] / "frozen" / "2026-11"
PIN = (FROZEN / "pin").read_text().strip()
BUNDLE = (FROZEN / "bundle.json").read_bytes()
PDF = (FROZEN / "certificate.pdf").read_bytes()
OTHER = "ab" * 32


@pytest.fixture(autouse=True)
def fresh_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has asked before."""
    monkeypatch.setattr(uploads, "_ROOM", uploads._Room())


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HttpWorld]:
    """Narrow limits, so that they can be reached."""
    made = HttpWorld(
        tmp_path_factory.mktemp("small"),
        verification_bytes=1 << 20,
        verification_seconds=2,
        verifications_per_minute=3,
        external_url=BASE,
    )
    yield made
    made.close()


def send(world: HttpWorld, content: bytes, query: str = "", kind: str = "application/pdf") -> TestResponse:
    return world.app.test_client(use_cookies=False).post(
        f"/api/v1/verifications{query}", data=content, content_type=kind, base_url=BASE
    )


def page(world: HttpWorld, content: bytes | None, name: str = "a.pdf", **fields: str) -> TestResponse:
    data: dict[str, object] = dict(fields)
    if content is not None:
        data["file"] = (io.BytesIO(content), name)
    return world.app.test_client(use_cookies=False).post(
        "/verify", data=data, content_type="multipart/form-data", base_url=BASE
    )


@pytest.mark.parametrize(("content", "kind"), [(PDF, "application/pdf"), (BUNDLE, "application/json")])
def test_a_genuine_certificate_is_a_yes_under_its_pin(world: HttpWorld, content: bytes, kind: str) -> None:
    answer = send(world, content, f"?pin={PIN}", kind)
    assert answer.status_code == 200, answer.text
    found = answer.get_json()
    assert found["answer"] == "yes"
    assert found["verification"]["yes"] is True
    assert found["own_pin"] is False
    assert found["standing"] is None, "another service's document is none of our log's business"
    assert {check["state"] for check in found["verification"]["checks"]} == {"passed"}


def test_pdf_and_its_attachment_are_one_document(world: HttpWorld) -> None:
    digests = {send(world, content, f"?pin={PIN}").get_json()["evidence_sha256"] for content in (PDF, BUNDLE)}
    assert digests == {verification.clean_digest("x", __import__("hashlib").sha256(BUNDLE).hexdigest())}


def test_under_this_services_own_pin_anothers_document_is_a_no(world: HttpWorld) -> None:
    found = send(world, BUNDLE).get_json()
    assert (found["answer"], found["own_pin"]) == ("no", True)
    assert found["evidence_sha256"] is None, "what is not genuine has no evidence"


def test_a_statement_that_is_open_is_not_yet(world: HttpWorld) -> None:
    found = send(world, (FROZEN / "statement.pdf").read_bytes(), f"?pin={PIN}").get_json()
    assert found["verification"]["genuine"] is True
    assert found["answer"] == ("yes" if found["verification"]["yes"] else "not-yet")


def test_the_expected_digest_is_compared(world: HttpWorld) -> None:
    right = send(world, BUNDLE, f"?pin={PIN}").get_json()["evidence_sha256"]
    same = send(world, PDF, f"?pin={PIN}&sha256={right}").get_json()
    assert (same["answer"], same["as_expected"]) == ("yes", True)
    other = send(world, PDF, f"?pin={PIN}&sha256={OTHER}").get_json()
    assert (other["answer"], other["as_expected"]) == ("no", False)
    assert other["sentence"].startswith("NO:")


def test_every_altered_byte_is_a_no(world: HttpWorld) -> None:
    for place in range(100, len(BUNDLE), len(BUNDLE) // 5):
        altered = bytearray(BUNDLE)
        altered[place] ^= 1
        assert send(world, bytes(altered), f"?pin={PIN}", "application/json").get_json()["answer"] == "no"


@pytest.mark.parametrize(
    "content",
    [
        b" ",
        b"\0",
        b"%PDF-",
        b"{}",
        b"[" * 900_000,
        b'{"a":' * 100_000,
        b"[" + b"[]," * 300_000 + b"[]]",
        b'"' + b"\\" * 900_001,
        b"PK\x03\x04" + b"\0" * 1000,
        b"%PDF-1.7\n" + b"/Type /EmbeddedFile" * 40_000,
        b"%PDF-1.7\n"
        + b"1 0 obj <</Type /EmbeddedFile /Filter /FlateDecode/Length 3>>\nstream\nabc\nendstream " * 5000,
        b"%PDF-1.7\n" + b"/ByteRange [0 1 2 3]" * 40_000,
    ],
    ids=[
        "empty",
        "nul",
        "stub",
        "object",
        "deep",
        "deep-object",
        "wide",
        "escapes",
        "zip",
        "names",
        "attachments",
        "ranges",
    ],
)
def test_hostile_content_is_a_no_and_nothing_worse(world: HttpWorld, content: bytes) -> None:
    answer = send(world, content, f"?pin={PIN}")
    assert answer.status_code in {200, 422}
    if answer.status_code == 200:
        assert answer.get_json()["answer"] == "no"
    else:
        assert problem(answer) == (422, "too-costly-to-check")


def test_a_pdf_that_unpacks_to_gigabytes_is_a_no(world: HttpWorld) -> None:
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b"\0" * (1 << 20)) for _ in range(300)) + packer.flush()
    head = b"%%PDF-1.7\n1 0 obj\n<</Type /EmbeddedFile/Filter /FlateDecode/Length %d>>\nstream\n" % len(packed)
    answer = send(world, head + packed + b"\nendstream\nendobj\n", f"?pin={PIN}")
    assert answer.get_json()["answer"] == "no"


def test_a_check_that_takes_too_long_says_nothing_about_the_file(
    small: HttpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child is killed; nobody is told yes or no."""
    monkeypatch.setattr(verification, "_CLOCK_FACTOR", 0.001)
    assert problem(send(small, BUNDLE, f"?pin={PIN}")) == (422, "too-costly-to-check")


def test_a_child_that_a_limit_ended_says_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for number, end in enumerate(("kill -KILL $$", "exit 3")):
        child = tmp_path / f"child-{number}"
        child.write_text(f"#!/bin/sh\ncat >/dev/null\n{end}\n")
        child.chmod(0o700)
        monkeypatch.setattr(verification.sys, "executable", str(child))  # type: ignore[attr-defined]  # its own module
        with pytest.raises(TooCostlyToCheck):
            verification._confined(BUNDLE, PIN, 2)


def test_the_child_can_neither_write_nor_grow(tmp_path: Path) -> None:
    program = (
        "from reports import confined; confined.confine(5)\n"
        "for act in (lambda: bytearray(2 << 30), lambda: open('kept', 'wb', 0).write(b'x')):\n"
        "    try:\n        act()\n"
        "    except (MemoryError, OSError) as error:\n        print(type(error).__name__)\n"
    )
    root = str(Path(__file__).parents[3])
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": root},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["MemoryError", "OSError"], done.stderr
    assert not (tmp_path / "kept").exists() or (tmp_path / "kept").stat().st_size == 0


def test_a_file_that_is_too_large_is_refused_before_it_is_read(small: HttpWorld) -> None:
    assert problem(send(small, b"x" * ((1 << 20) + 1))) == (413, "body-too-large")


def test_a_body_shorter_than_announced_is_refused(world: HttpWorld) -> None:
    answer = world.app.test_client(use_cookies=False).post(
        "/api/v1/verifications",
        data=io.BytesIO(b"short"),
        content_type="application/pdf",
        environ_overrides={"CONTENT_LENGTH": "5000"},
        base_url=BASE,
    )
    assert problem(answer) == (400, "bad-request")


@pytest.mark.parametrize(
    "kind", ["text/html", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded", ""]
)
def test_the_interface_takes_files_only(world: HttpWorld, kind: str) -> None:
    assert problem(send(world, BUNDLE, kind=kind)) == (415, "unsupported-media-type")


@pytest.mark.parametrize("query", ["?pin=abc", f"?pin={PIN}0", "?sha256=nonsense", "?pin=%C3%A9"])
def test_a_digest_that_is_none_is_refused(world: HttpWorld, query: str) -> None:
    assert problem(send(world, BUNDLE, query)) == (422, "invalid")


def test_an_address_that_asks_too_often_waits(small: HttpWorld) -> None:
    for _ in range(3):
        assert send(small, b"{}").status_code == 200
    answer = send(small, b"{}")
    assert problem(answer) == (429, "too-many-requests")
    assert int(answer.headers["Retry-After"]) > 0
    assert page(small, b"{}").status_code == 429, "page and interface count together"


def test_a_slow_body_is_given_up_on_and_keeps_its_own_place_only(
    world: HttpWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    reading, writing = os.pipe()
    stream = os.fdopen(reading, "rb")
    monkeypatch.setattr(uploads, "RECEIVE_SECONDS", 0.2)
    with world.app.test_request_context("/verify", method="POST", data=b"x" * 100) as context:
        context.request.environ["wsgi.input"] = stream
        with pytest.raises(ApiError) as refused:
            uploads.receive(context.request, 1000, seconds=0.2)
        assert refused.value.code == "too-slow"
        assert uploads._ROOM._by_address.total() == 1, "the thread that still waits counts"
    assert send(world, b"{}").status_code == 200, "others are served"
    os.close(writing)
    uploads._ROOM.pool.shutdown(wait=True)
    assert uploads._ROOM._by_address.total() == 0
    stream.close()


def test_one_address_sends_two_files_at_once_at_most() -> None:
    room = uploads._Room()
    room.enter("198.51.100.7")
    room.enter("198.51.100.7")
    with pytest.raises(ApiError) as refused:
        room.enter("198.51.100.7")
    assert refused.value.code == "busy"
    for number in range(6):
        room.enter(f"198.51.100.{100 + number}")
    with pytest.raises(ApiError):
        room.enter("203.0.113.1")
    room.leave("198.51.100.7")
    room.enter("203.0.113.1")


def test_only_a_few_files_are_checked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "_PATIENCE_SECONDS", 0.01)
    with uploads.checking(), uploads.checking(), pytest.raises(ApiError) as refused, uploads.checking():
        pass
    assert refused.value.code == "busy"


def test_many_at_once_get_an_answer_each(world: HttpWorld) -> None:
    statuses: list[int] = []
    threads = [threading.Thread(target=lambda: statuses.append(send(world, b"{}").status_code)) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(statuses) == 12
    assert set(statuses) <= {200, 503}
    assert 200 in statuses


def test_the_bucket_refills_and_counts_a_host_of_ipv6_once() -> None:
    moment = [0.0]
    limit = uploads.RateLimit(lambda: moment[0])
    assert [limit.take("2001:db8::1", 2) > 0 for _ in range(3)] == [False, False, True]
    assert limit.take("2001:db8::ffff", 2) > 0, "the same network"
    assert limit.take("::ffff:192.0.2.1", 2) == 0.0
    assert limit.take("192.0.2.1", 2) == 0.0
    assert limit.take("192.0.2.1", 2) > 0, "mapped and plain are one"
    moment[0] = 31
    assert limit.take("2001:db8::1", 2) == 0.0


# -- the page ----------------------------------------------------------------------------------------------------------------


def test_the_page_answers_without_a_script(world: HttpWorld) -> None:
    answer = page(world, PDF, pin=PIN)
    assert answer.status_code == 200
    assert 'verdict-word">Yes<' in answer.text
    assert "script-src 'nonce-" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "no-store"


def test_the_page_says_no_to_an_altered_file(world: HttpWorld) -> None:
    answer = page(world, PDF[:-40] + b"x" * 40, pin=PIN)
    assert 'verdict-word">No<' in answer.text
    assert 'verdict-word">Yes<' not in answer.text


def test_the_page_says_what_is_missing(world: HttpWorld) -> None:
    assert page(world, None).status_code == 422
    assert page(world, b"").status_code == 422
    assert page(world, PDF, pin="nonsense").status_code == 422


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"file=abc", "application/x-www-form-urlencoded", 415),
        (b"not a form", "multipart/form-data; boundary=x", 400),
        (b"--x\r\n" * 1000, "multipart/form-data; boundary=x", 400),
        (b"", "multipart/form-data", 400),
    ],
)
def test_the_page_refuses_what_is_no_form(world: HttpWorld, body: bytes, kind: str, status: int) -> None:
    answer = world.app.test_client(use_cookies=False).post("/verify", data=body, content_type=kind, base_url=BASE)
    assert answer.status_code in {status, 422}


def test_a_name_full_of_markup_reaches_nobody(world: HttpWorld) -> None:
    answer = page(world, PDF, name="<script>alert(1)</script>.pdf", pin=PIN, sha256="<b>bold</b>")
    assert "<script>alert" not in answer.text
    assert "<b>bold" not in answer.text


def test_a_signed_in_reader_needs_no_token_here(world: HttpWorld) -> None:
    """The page acts on nobody's behalf, so there is nothing to forge; and it looks at no session."""
    who = world.person(Role.AUDITOR)
    answer = world.app.test_client(use_cookies=False).post(
        "/api/v1/verifications",
        data=b"{}",
        content_type="application/json",
        headers={"Authorization": f"Bearer {who.token}", "Cookie": "sanitrail=x.y"},
        base_url=BASE,
    )
    assert answer.status_code == 200


def test_another_sites_page_cannot_send_files_here(world: HttpWorld) -> None:
    answer = world.app.test_client(use_cookies=False).post(
        "/api/v1/verifications",
        data=b"{}",
        content_type="application/json",
        headers={"Sec-Fetch-Site": "cross-site"},
        base_url=BASE,
    )
    assert problem(answer) == (403, "csrf-refused")


def test_nothing_of_an_upload_is_logged_or_left_on_disk(
    world: HttpWorld, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with world.context.reading() as session:
        before = session.query(LogEntry).count(), session.query(Seal).count()
    secret = b"SERIAL-THAT-NOBODY-MAY-SEE" * 10_000
    with caplog.at_level(logging.DEBUG):
        page(world, secret, name="SERIAL-THAT-NOBODY-MAY-SEE.pdf")
        send(world, secret)
    assert "SERIAL-THAT" not in caplog.text
    assert list(tmp_path.iterdir()) == []
    for file in world.settings.data_dir.rglob("*"):
        assert not file.is_file() or b"SERIAL-THAT-NOBODY" not in file.read_bytes()
    with world.context.reading() as session:
        assert (session.query(LogEntry).count(), session.query(Seal).count()) == before


# -- digests -----------------------------------------------------------------------------------------------------------------


def test_a_digest_alone_tells_known_or_unknown(world: HttpWorld) -> None:
    with world.context.reading() as session:
        logged = session.query(LogEntry).first()
        assert logged is not None
    known = world.call("GET", f"/verifications/{logged.sha256}").get_json()
    assert known == {"known": True, "void": False, "superseded": False, "corrected": None}
    unknown = world.call("GET", f"/verifications/{OTHER}").get_json()
    assert unknown == {**known, "known": False}
    text = world.app.test_client().get(f"/verify?sha256={OTHER}", base_url=BASE).text
    assert "No document with this digest is known here" in text
    assert json.dumps(logged.subject) not in text
