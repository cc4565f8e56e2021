from __future__ import annotations

import dataclasses
import hashlib
import json

import pytest

from sanitizer.identity import DeviceIdentity, cleaned, cleaned_name, same_device

DISK = DeviceIdentity(
    kind="ata",
    vendor=None,
    model="Model X",
    serial="S1",
    wwn="naa.5000c5003011cb2b",
    eui64=None,
    nguid=None,
    capacity_bytes=1 << 30,
    logical_block_bytes=512,
    physical_block_bytes=4096,
)


@pytest.mark.parametrize(
    ("field", "other"),
    [
        ("kind", "scsi"),
        ("vendor", "V"),
        ("model", "Model Y"),
        ("serial", "S2"),
        ("wwn", None),
        ("eui64", "0025385201404936"),
        ("nguid", "36525430529000570025384500000001"),
        ("capacity_bytes", (1 << 30) + 512),
        ("logical_block_bytes", 4096),
    ],
)
def test_another_value_of_any_field_is_another_medium(field: str, other: object) -> None:
    changed = dataclasses.replace(DISK, **{field: other})  # type: ignore[arg-type]  # one field of its own type
    assert changed.fingerprint != DISK.fingerprint
    assert not same_device(DISK, changed)


def test_the_physical_block_size_is_no_part_of_the_fingerprint() -> None:
    assert same_device(DISK, dataclasses.replace(DISK, physical_block_bytes=512))


def test_an_unread_identity_is_the_same_as_nothing() -> None:
    assert not same_device(None, None)
    assert not same_device(DISK, None)


def test_an_identity_needs_something_unique() -> None:
    with pytest.raises(ValueError, match="serial number or a world-wide name"):
        dataclasses.replace(DISK, serial=None, wwn=None)


@pytest.mark.parametrize("field", ["capacity_bytes", "logical_block_bytes", "physical_block_bytes"])
def test_sizes_must_be_positive(field: str) -> None:
    with pytest.raises(ValueError, match="positive"):
        dataclasses.replace(DISK, **{field: 0})  # type: ignore[arg-type]  # all three are integers


def test_an_unknown_kind_is_a_bug() -> None:
    with pytest.raises(ValueError, match="kind"):
        dataclasses.replace(DISK, kind="floppy")


def test_the_fingerprint_can_be_made_again_from_the_messages_fields() -> None:
    """The service's message has every field but the physical block size."""
    told = DISK.to_dict()
    del told["physical_block_bytes"]
    text = json.dumps({"sanitrail": "device-identity/1", **told}, sort_keys=True, separators=(",", ":"))
    assert DISK.fingerprint == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    ("raw", "clean"),
    [(None, None), ("", None), ("   ", None), ("  WD-1234  ", "WD-1234"), ("a\0\0", "a"), ("a  b\tc", "a b c")],
)
def test_reported_text_loses_padding_only(raw: str | None, clean: str | None) -> None:
    assert cleaned(raw) == clean


@pytest.mark.parametrize(
    "blank", ["0x0000000000000000", "naa.0000000000000000", "eui.0", "00-00", "", None, "0xffffffffffffffff"]
)
def test_a_world_wide_name_of_zeros_names_nothing(blank: str | None) -> None:
    """Two different drives were recorded with wwn 0x0000000000000000."""
    assert cleaned_name(blank) is None


def test_a_world_wide_name_is_in_lower_case() -> None:
    assert cleaned_name("naa.5000C5003011CB2B") == "naa.5000c5003011cb2b"
