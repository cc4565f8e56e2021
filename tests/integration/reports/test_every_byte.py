"""Every single byte of a bundle, altered: none gets past the verifier. The unit tests sample; this one does not."""

from __future__ import annotations

import pytest

from reports.verify import verify
from tests.support.evidence import World, certified

SHARDS = 8
WORLD = World()
BUNDLE = certified(WORLD).bundle().to_bytes()


@pytest.mark.parametrize("shard", range(SHARDS))
def test_every_byte_of_a_bundle_counts(shard: int) -> None:
    for place in range(shard, len(BUNDLE), SHARDS):
        altered = bytearray(BUNDLE)
        altered[place] ^= 1 << (place % 8)
        assert not verify(bytes(altered), WORLD.pin).genuine, place
