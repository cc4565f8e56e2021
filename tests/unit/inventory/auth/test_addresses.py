"""Under which names the service answers."""

from __future__ import annotations

import pytest

from inventory.auth.addresses import Addresses, is_loopback


def test_it_knows_its_own_name_with_the_scheme_it_is_reached_by() -> None:
    ours = Addresses(["https://sanitrail.example.org", "https://10.0.0.5:8443"])
    assert ours.base("sanitrail.example.org") == "https://sanitrail.example.org"
    assert ours.base("SANITRAIL.example.org:443") == "https://sanitrail.example.org"
    assert ours.base("10.0.0.5:8443") == "https://10.0.0.5:8443"


@pytest.mark.parametrize(
    "host", ["evil.example", "sanitrail.example.org:444", "sanitrail.example.org:80", "", "10.0.0.5", "@"]
)
def test_it_does_not_answer_to_other_names(host: str) -> None:
    assert Addresses(["https://sanitrail.example.org", "https://10.0.0.5:8443"]).base(host) is None


@pytest.mark.parametrize("host", ["127.0.0.1:8443", "localhost:8443", "[::1]:8443"])
def test_a_loopback_service_goes_by_every_loopback_name_on_its_port(host: str) -> None:
    ours = Addresses(["http://127.0.0.1:8443"])
    assert ours.base(host) == f"http://{host}"
    assert ours.base(host.replace("8443", "8444")) is None


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost", "LOCALHOST."])
def test_loopback_is_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "localhost.example.org", ""])  # noqa: S104 - nothing listens
def test_nothing_else_is_loopback(host: str) -> None:
    assert not is_loopback(host)
