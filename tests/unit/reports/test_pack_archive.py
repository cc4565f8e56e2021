"""The archive's one form: what the writer writes ordinary tools read, and the reader takes nothing else."""

from __future__ import annotations

import io
import tempfile
import zipfile
import zlib
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reports.errors import MalformedDocument
from reports.pack.archive import ArchiveReader, ArchiveWriter, is_member_name, stored

MEMBERS = (("pack.json", b"{}"), ("devices/D-1/a.txt", b"hello " * 50_000), ("empty", b""))


def written(members: Iterable[tuple[str, bytes]] = MEMBERS, last: bytes = b"x" * 70_000) -> bytes:
    out = bytearray()
    with tempfile.TemporaryFile() as directory:
        writer = ArchiveWriter(out.extend, directory)
        for name, content in members:
            for _ in writer.member(name, iter((content[:1000], content[1000:]))):
                pass
        writer.last_member("seal.json", last)
        for _ in writer.close():
            pass
    return bytes(out)


def read(data: bytes) -> list[tuple[str, bytes]]:
    return [(name, b"".join(parts)) for name, parts in ArchiveReader(io.BytesIO(data)).members()]


def test_ordinary_readers_read_it() -> None:
    with zipfile.ZipFile(io.BytesIO(written())) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [*(name for name, _ in MEMBERS), "seal.json"]
        assert archive.read("devices/D-1/a.txt") == MEMBERS[1][1]


def test_the_reader_reads_it_and_knows_every_byte() -> None:
    data = written()
    assert read(data) == [*MEMBERS, ("seal.json", b"x" * 70_000)]
    assert written() == data, "the same members make the same bytes"


def test_every_altered_byte_is_noticed_or_packed_content() -> None:
    data = written(last=b"x" * 600)
    for place in range(len(data)):
        altered = bytearray(data)
        altered[place] ^= 0x41
        with pytest.raises(MalformedDocument):
            read(bytes(altered))


def test_every_cut_is_noticed() -> None:
    data = written([("pack.json", b"{}")], b"seal")
    for length in range(len(data)):
        with pytest.raises(MalformedDocument):
            read(data[:length])
    with pytest.raises(MalformedDocument):
        read(data + b"\0")


def test_an_archive_of_another_maker_is_not_read() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("pack.json", "{}")
    with pytest.raises(MalformedDocument):
        read(buffer.getvalue())


def test_members_hidden_between_others_are_noticed() -> None:
    """A member that the directory does not list would be read by some tools and not by others."""
    one, two = written([("a", b"1")], b"s"), written([("a", b"1"), ("b", b"2")], b"s")
    directory = one.index(b"PK\x01\x02")
    with pytest.raises(MalformedDocument):
        read(two[: two.index(b"PK\x01\x02")] + one[directory:])


@pytest.mark.parametrize(
    "name", ["", "/a", "a/", "../a", "a/../b", "a//b", ".a", "a b", "a\\b", "é", "x" * 201, "-a", "a\0"]
)
def test_names_that_climb_or_hide_are_refused(name: str) -> None:
    assert not is_member_name(name)
    with pytest.raises(ValueError, match="member name"):
        written([(name, b"")])


def test_a_member_that_unpacks_to_gigabytes_costs_no_memory() -> None:
    reader = ArchiveReader(io.BytesIO(written([("zeros", b"\0" * (64 << 20))])))
    largest = 0
    for _, parts in reader.members():
        for part in parts:
            largest = max(largest, len(part))
    assert largest <= 64 * 1024


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 200_000])
def test_stored_blocks_unpack_to_their_content(size: int) -> None:
    content = bytes(index & 0xFF for index in range(size))
    assert zlib.decompress(stored(content), -zlib.MAX_WBITS) == content


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_any_bytes_at_all_only_ever_raise_our_error(data: bytes) -> None:
    for content in (data, b"PK\x03\x04" + data, written([("a", b"")], b"")[:60] + data):
        with pytest.raises(MalformedDocument):
            read(content)
