"""The form between the two halves of the agent: what is in it comes through whole, and nothing else comes through at all."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents import channel, exchange
from agents.exchange import Ask, Failed, FrameMalformed, Told

TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=300)
ASKS = st.builds(
    Ask,
    id=st.integers(1, 2**53 - 1),
    method=st.sampled_from(exchange.METHODS),
    url=st.sampled_from(["https://sanitrail.example.org/api/v1/agent/leases", "http://[::1]:8443/x?version=3"]),
    headers=st.dictionaries(st.sampled_from(sorted(exchange.ASKED_HEADERS)), TEXT).map(lambda d: tuple(d.items())),
    milliseconds=st.integers(1, exchange.MAX_WAIT),
)
TOLDS = st.builds(
    Told,
    id=st.integers(1, 2**53 - 1),
    status=st.integers(200, 599),
    headers=st.dictionaries(st.sampled_from(sorted(exchange.TOLD_HEADERS)), TEXT).map(lambda d: tuple(d.items())),
)
FAILURES = st.builds(Failed, id=st.integers(1, 2**53 - 1), kind=st.sampled_from(exchange.FAILURES), words=TEXT)


def parts(frame: bytes, limit: int = exchange.MAX_ASK_BODY) -> tuple[bytes, bytes]:
    head, body = exchange.lengths(frame[: exchange.PREFIX.size], limit)
    start = exchange.PREFIX.size
    assert len(frame) == start + head + body
    return frame[start : start + head], frame[start + head :]


@given(ASKS, st.binary(max_size=200))
def test_a_request_comes_through_whole(ask: Ask, body: bytes) -> None:
    head, found = parts(exchange.encode_ask(ask, body))
    assert (exchange.read_ask(head), found) == (ask, body)


@given(st.one_of(TOLDS, FAILURES), st.binary(max_size=200))
def test_an_answer_comes_through_whole(answer: Told | Failed, body: bytes) -> None:
    head, found = parts(exchange.encode_answer(answer, body))
    assert (exchange.read_answer(head), found) == (answer, body)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=400))
def test_bytes_of_any_kind_are_read_or_refused_and_never_anything_else(data: bytes) -> None:
    for read in (exchange.read_ask, exchange.read_answer):
        try:
            found = read(data)
        except FrameMalformed:
            continue
        assert isinstance(found, Ask | Told | Failed)


@settings(max_examples=400, deadline=None)
@given(st.one_of(ASKS, TOLDS, FAILURES), st.data())
def test_a_frame_with_changed_bytes_is_another_well_formed_one_or_refused(
    message: Ask | Told | Failed, data: st.DataObject
) -> None:
    whole = exchange.encode_ask(message, b"") if isinstance(message, Ask) else exchange.encode_answer(message)
    head = bytearray(parts(whole)[0])
    for _ in range(data.draw(st.integers(1, 4))):
        head[data.draw(st.integers(0, len(head) - 1))] = data.draw(st.integers(0, 255))
    read = exchange.read_ask if isinstance(message, Ask) else exchange.read_answer
    try:
        found = read(bytes(head))
    except FrameMalformed:
        return
    again = exchange.encode_ask(found, b"") if isinstance(found, Ask) else exchange.encode_answer(found)
    assert read(parts(again)[0]) == found, "what was read can be said again: no field was half understood"


@pytest.mark.parametrize(
    "head",
    [
        b'{"told":{"headers":[],"id":1,"status":200},"failed":{}}',
        b'{"told":{"headers":[],"id":1,"id":2,"status":200}}',
        b'{"told":{"headers":[],"id":true,"status":200}}',
        b'{"told":{"headers":[],"id":1,"status":100}}',
        b'{"told":{"headers":[],"id":1,"status":200,"extra":1}}',
        b'{"told":{"headers":[["set-cookie","a"]],"id":1,"status":200}}',
        b'{"told":{"headers":[["date","a"],["date","b"]],"id":1,"status":200}}',
        b'{"told":{"headers":[["date","a\\r\\nx: y"]],"id":1,"status":200}}',
        b'{"failed":{"id":1,"kind":"whatever","words":""}}',
        b'{"failed":{"id":0,"kind":"connect","words":""}}',
        b"[]",
        b"",
        b"\xff",
        b"{" * 5000,
    ],
)
def test_an_answer_out_of_form_is_refused(head: bytes) -> None:
    with pytest.raises(FrameMalformed):
        exchange.read_answer(head)


@pytest.mark.parametrize("url", ["file:///etc/passwd", "https://a/b c", "https:///x", "ftp://a/", "https://u:p@a/x"])
def test_only_an_address_of_a_service_is_carried(url: str) -> None:
    with pytest.raises(FrameMalformed):
        exchange.encode_ask(Ask(1, "GET", url, (), 1000), b"")


@pytest.mark.parametrize(
    "fields",
    [
        b'"headers":[],"id":1,"method":"DELETE","milliseconds":1,"url":"https://a/"',
        b'"headers":[],"id":1,"method":"GET","milliseconds":1,"url":null',
        b'"headers":[],"id":1,"method":"GET","milliseconds":1,"url":"ftp://a/"',
        b'"headers":[],"id":"1","method":"GET","milliseconds":1,"url":"https://a/"',
        b'"headers":[],"id":1,"method":"GET","milliseconds":3600001,"url":"https://a/"',
        b'"headers":null,"id":1,"method":"GET","milliseconds":1,"url":"https://a/"',
        b'"headers":[7],"id":1,"method":"GET","milliseconds":1,"url":"https://a/"',
        b'"headers":[["host"]],"id":1,"method":"GET","milliseconds":1,"url":"https://a/"',
        b'"headers":[["host",7]],"id":1,"method":"GET","milliseconds":1,"url":"https://a/"',
        b'"headers":[["cookie","a"]],"id":1,"method":"GET","milliseconds":1,"url":"https://a/"',
    ],
)
def test_a_request_out_of_form_is_refused(fields: bytes) -> None:
    with pytest.raises(FrameMalformed):
        exchange.read_ask(b'{"ask":{' + fields + b"}}")


@pytest.mark.parametrize("words", [b"7", b'"a\\u001bb"', b'"' + b"a" * 301 + b'"'])
def test_words_that_cannot_be_shown_are_refused(words: bytes) -> None:
    with pytest.raises(FrameMalformed, match="words"):
        exchange.read_answer(b'{"failed":{"id":1,"kind":"connect","words":' + words + b"}}")


def test_a_message_is_an_object_of_one_kind_with_all_its_fields() -> None:
    for head in (b'{"failed":[]}', b'{"told":7}', b'{"failed":{"id":1,"kind":"connect"}}'):
        with pytest.raises(FrameMalformed, match="not a message of kind"):
            exchange.read_answer(head)


def test_words_of_a_library_are_made_fit_to_carry() -> None:
    assert exchange.printable("no \x1b[31mroute\n") == "no ?[31mroute?"
    assert exchange.printable(" ~") == " ~"
    assert exchange.encode_answer(Failed(1, "connect", exchange.printable("\n" * 400)))


def test_what_the_other_side_would_refuse_is_not_sent() -> None:
    exchange.encode_ask(Ask(1, "PUT", "https://a/", (), 1), bytes(exchange.MAX_ASK_BODY))
    with pytest.raises(FrameMalformed, match="the request has"):
        exchange.encode_ask(Ask(1, "PUT", "https://a/", (), 1), bytes(exchange.MAX_ASK_BODY + 1))
    exchange.encode_answer(Told(1, 200, ()), bytes(exchange.MAX_TOLD_BODY))
    with pytest.raises(FrameMalformed, match="the answer has"):
        exchange.encode_answer(Told(1, 200, ()), bytes(exchange.MAX_TOLD_BODY + 1))
    with pytest.raises(FrameMalformed):
        exchange.encode_answer(Told(1, 200, (("set-cookie", "a"),)))


def test_a_frame_may_be_as_long_as_its_limits_and_its_prefix_is_whole() -> None:
    assert exchange.lengths(exchange.PREFIX.pack(2, 5), 5) == (2, 5)
    assert exchange.lengths(exchange.PREFIX.pack(exchange.MAX_HEAD, 0), 5) == (exchange.MAX_HEAD, 0)
    with pytest.raises(FrameMalformed, match="breaks off"):
        exchange.lengths(exchange.PREFIX.pack(2, 5)[:-1], 5)


@contextmanager
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, two = socket.socketpair()
    with closing(one), closing(two):
        yield one, two


@pytest.mark.parametrize(
    "prefix", [(1, 0), (exchange.MAX_HEAD + 1, 0), (2, exchange.MAX_TOLD_BODY + 1), (2**32 - 1, 0)]
)
def test_a_length_over_its_limit_is_refused_before_anything_more_is_read(prefix: tuple[int, int]) -> None:
    with pair() as (mine, theirs):
        theirs.sendall(exchange.PREFIX.pack(*prefix) + b"xyz")
        with pytest.raises(FrameMalformed):
            channel.receive(mine, exchange.MAX_TOLD_BODY, time.monotonic() + 30)
        assert mine.recv(10) == b"xyz", "nothing of the head was taken in"


def test_a_frame_that_breaks_off_is_no_frame() -> None:
    with pair() as (mine, theirs):
        theirs.sendall(exchange.encode_answer(Told(1, 200, ()), b"body")[:-1])
        theirs.close()
        with pytest.raises(FrameMalformed, match="breaks off"):
            channel.receive(mine, exchange.MAX_TOLD_BODY, time.monotonic() + 30)


def test_a_drip_does_not_hold_anybody_beyond_the_deadline() -> None:
    with pair() as (mine, theirs):
        theirs.sendall(b"\0")
        with pytest.raises(TimeoutError):
            channel.receive(mine, exchange.MAX_TOLD_BODY, time.monotonic() + 0.05)


def test_the_kernel_says_who_is_at_the_other_end() -> None:
    import os  # noqa: PLC0415 - used here only

    with pair() as (mine, _):
        peer = channel.peer_of(mine)
    assert (peer.pid, peer.uid, peer.gid) == (os.getpid(), os.getuid(), os.getgid())
