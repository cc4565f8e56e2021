"""What more than one file of this folder stands on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.fake_service import FakeService


@pytest.fixture
def service() -> Iterator[FakeService]:
    fake = FakeService()
    server = fake.serve()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
