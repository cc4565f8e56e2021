"""DER values put together by hand are those that asn1crypto would encode."""

from __future__ import annotations

import pytest
from asn1crypto import core

from reports.der import OCTETS, SET, number, set_of, value


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65_535, 65_536])
def test_a_length_is_in_its_shortest_form(size: int) -> None:
    content = bytes(size)
    assert value(OCTETS, content[:1], content[1:]) == core.OctetString(content).dump()


def test_a_set_has_its_members_in_the_order_of_their_bytes() -> None:
    members = [core.OctetString(text).dump() for text in (b"b", b"a", b"", b"ab")]
    known = core.SetOf([b"b", b"a", b"", b"ab"], spec=core.OctetString).dump()
    assert value(SET, set_of(*members)) == known


def test_a_small_number_is_an_integer() -> None:
    assert number(3) == core.Integer(3).dump()
