"""When the keys of a LUKS2 container may be destroyed: each readable condition, broken alone."""

from __future__ import annotations

from typing import Any

import pytest

from sanitizer.container import Container, container_on
from tests.support.luks_made import AREA, COPY, SIZE, Change, both, changed, header, medium, reader


def found(data: bytes | bytearray, block: int = 512) -> Container | None:
    return container_on(len(data), block, reader(data))


def faults(data: bytes | bytearray, block: int = 512) -> str:
    container = found(data, block)
    assert container is not None
    return "; ".join(container.faults)


def test_a_container_at_rest_has_no_fault() -> None:
    container = found(medium())
    assert container is not None
    assert container.faults == ()
    assert (container.cipher_name, container.key_area_bytes, container.keyslots) == ("AES-256-XTS", AREA, 1)


def test_a_device_without_the_magic_holds_none() -> None:
    assert found(bytes(SIZE)) is None
    assert found(b"LUKS") is None


def test_an_unreadable_beginning_holds_none() -> None:
    assert container_on(SIZE, 512, lambda _offset, _length: None) is None


def test_the_older_format_is_refused_by_its_name() -> None:
    assert "it is LUKS1" in faults(medium(header(version=1)))
    assert "its version is 3" in faults(medium(header(version=3)))


def test_a_checksum_that_does_not_hold_is_refused_on_either_copy() -> None:
    for at, which in ((5000, "first"), (COPY + 5000, "second")):
        data = medium()
        data[at] ^= 1
        assert f"checksum of the {which} copy" in faults(data)


def test_a_copy_that_is_missing_is_refused() -> None:
    assert "second copy of its header is missing" in faults(medium(second=bytes(COPY)))
    assert "second copy of its header is missing" in faults(medium(second=header()))


def test_copies_of_different_age_are_refused() -> None:
    assert "differ in age (3, 4)" in faults(medium(second=header(second=True, sequence=4)))


def test_copies_of_two_containers_are_refused() -> None:
    other = header(second=True, uuid="8a1f4f9e-1d7b-4f0a-9a53-0f6f2b6f7c12")
    assert "do not belong to one container" in faults(medium(second=other))


def test_copies_that_say_different_things_are_refused() -> None:
    other = header(changed(lambda m: m["tokens"].update({"0": {"type": "x", "keyslots": []}})), second=True)
    assert "say different things" in faults(medium(second=other))


def test_a_copy_that_belongs_elsewhere_is_refused() -> None:
    assert "first copy of its header belongs elsewhere" in faults(medium(header(offset=COPY)))


def test_a_copy_of_a_size_the_format_does_not_have_is_refused() -> None:
    size = COPY + 8192
    data = medium(header(size=size), header(size=size, second=True))
    assert "first copy of its header is damaged" in faults(data)


def test_another_checksum_than_the_known_one_is_refused() -> None:
    data = medium(header(algorithm=b"sha1"), header(algorithm=b"sha1", second=True))
    assert "checksum of an unknown kind" in faults(data)


def test_a_header_larger_than_the_device_is_refused() -> None:
    assert "larger than the device" in faults(header() + bytes(100))


def test_a_copy_that_cannot_be_read_is_refused() -> None:
    read = reader(medium())
    container = container_on(SIZE, 512, lambda offset, length: read(offset, length) if offset != COPY else None)
    assert container is not None
    assert container.faults == ("the second copy of its header cannot be read",)


def slot(**values: Any) -> Change:  # noqa: ANN401 - any JSON value
    return lambda m: m["keyslots"]["0"].update(values)


def area(**values: Any) -> Change:  # noqa: ANN401 - any JSON value
    return lambda m: m["keyslots"]["0"]["area"].update(values)


def segment(**values: Any) -> Change:  # noqa: ANN401 - any JSON value
    return lambda m: m["segments"]["0"].update(values)


def requires(*words: str) -> Change:
    return lambda m: m["config"].update(requirements={"mandatory": list(words)})


BROKEN: dict[str, tuple[Change, str]] = {
    "a reencryption by its requirement": (requires("online-reencrypt-v2"), "reencryption is under way"),
    "a reencryption by its key slot": (slot(type="reencrypt"), "reencryption is under way"),
    "a segment with flags": (segment(flags=["backup-final"]), "reencryption is under way"),
    "a requirement nobody knows": (requires("inline-hw-opal"), "unknown here (inline-hw-opal)"),
    "a second segment": (lambda m: m["segments"].update({"1": m["segments"]["0"]}), "2 data segments"),
    "no segment": (lambda m: m["segments"].clear(), "0 data segments"),
    "a segment of another name": (
        lambda m: m.update(segments={"1": m["segments"]["0"]}),
        "1 data segments, and one is expected",
    ),
    "a segment in plain": (segment(type="linear"), "not encrypted by the host"),
    "encryption by the drive": (segment(type="hw-opal-crypt"), "not encrypted by the host"),
    "another cipher": (segment(encryption="aes-cbc-essiv:sha256"), "cipher is not one of those accepted"),
    "an initial vector that repeats": (segment(encryption="aes-xts-plain"), "cipher is not one of those accepted"),
    "no cipher at all": (segment(encryption="cipher_null-ecb"), "cipher is not one of those accepted"),
    "a key of another length": (slot(key_size=48), "cipher is not one of those accepted"),
    "key slots of two lengths": (
        lambda m: m["keyslots"].update({"1": {**m["keyslots"]["0"], "key_size": 32}}),
        "cipher is not one of those accepted",
    ),
    "authentication tags": (segment(integrity={"type": "hmac(sha256)"}), "authentication tags"),
    "an odd sector": (segment(sector_size=520), "makes no sense"),
    "a header apart from its data": (segment(offset="0"), "detached header"),
    "data inside the key slots": (segment(offset="65536"), "begins inside its own key slots"),
    "data between two blocks": (segment(offset=str(AREA + 100)), "where no block of this device begins"),
    "data behind the device": (segment(offset=str(SIZE)), "where no block of this device begins"),
    "data that ends before the device": (segment(size="1048576"), "does not reach to the end"),
    "a key slot behind the area": (area(offset=str(AREA)), "key slot 0 lies outside"),
    "a key slot that reaches out of it": (area(size=str(AREA)), "key slot 0 lies outside"),
    "a key slot over the header": (area(offset="4096"), "key slot 0 lies outside"),
    "an empty key slot": (area(size="0"), "key slot 0 lies outside"),
    "a key slot of another kind": (slot(type="sealed"), "of a kind unknown here"),
    "a key slot stored otherwise": (area(type="remote"), "of a kind unknown here"),
    "no key slot": (
        lambda m: (m["keyslots"].clear(), m["digests"]["0"].update(keyslots=[])),
        "no key slot: there is no key here",
    ),
    "a token for a slot elsewhere": (
        lambda m: m["tokens"].update({"0": {"type": "systemd-tpm2", "keyslots": ["7"]}}),
        "names key slots that are not in it",
    ),
    "a digest of a slot elsewhere": (lambda m: m["digests"]["0"].update(keyslots=["0", "9"]), "not in it"),
    "two volume keys": (
        lambda m: m["digests"].update({"1": {**m["digests"]["0"], "segments": []}}),
        "exactly one volume key",
    ),
    "data without a key": (lambda m: m["digests"]["0"].update(segments=[]), "exactly one volume key"),
    "sizes that contradict each other": (lambda m: m["config"].update(json_size="16384"), "contradict each other"),
}


@pytest.mark.parametrize(("change", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_one_condition_that_does_not_hold_is_a_reason(change: Change, words: str) -> None:
    assert words in faults(both(changed(change)))


def test_bytes_behind_the_last_encrypted_sector_are_a_reason() -> None:
    metadata = changed(segment(sector_size=4096))
    assert faults(both(metadata)) == ""
    assert "lie outside its last encrypted sector" in faults(both(metadata, SIZE + 512))


def test_data_must_begin_on_a_block_of_the_device() -> None:
    metadata = changed(segment(offset=str(AREA + 512)))
    assert faults(both(metadata)) == ""
    assert "where no block of this device begins" in faults(both(metadata), block=4096)


@pytest.mark.parametrize("magic", [b"SKUL\xba\xbe", b"LUKS\xba\xbe"])
def test_a_copy_of_an_earlier_header_inside_the_data_is_a_reason(magic: bytes) -> None:
    data = medium()
    data[2 << 20 : (2 << 20) + 6] = magic
    assert "another copy of a header stands at 2097152" in faults(data)


def test_a_place_of_a_header_that_cannot_be_read_is_a_reason() -> None:
    read = reader(medium())
    container = container_on(SIZE, 512, lambda offset, length: None if offset == 2 << 20 else read(offset, length))
    assert container is not None
    assert "cannot be read" in container.faults[0]


def test_tokens_that_open_slots_of_this_header_are_none() -> None:
    change: Change = lambda m: m["tokens"].update({"0": {"type": "systemd-tpm2", "keyslots": ["0"]}})  # noqa: E731
    assert faults(both(changed(change))) == ""


def test_no_bytes_make_it_raise() -> None:
    good = bytes(medium())
    for at in [*range(0, 512, 3), *range(4096, 6000, 7)]:
        data = bytearray(good)
        data[at] ^= 0xFF
        container = found(data)
        assert container is None or container.faults or data == good, at
