"""`sanitrail sign-facts`: what is shown is what is signed; a service that asks for something else is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from inventory.cli.client import Client
from inventory.cli.main import cli
from reports.canonical import canonical, sha256_hex, to_base64
from reports.envelope import open_envelope
from reports.keys import FileSigner, load_public_key
from tests.support.documents import Processor, destruction_facts, three_media
from tests.support.evidence import World


@pytest.fixture
def key(tmp_path: Path) -> tuple[Path, FileSigner]:
    path = tmp_path / "key.pem"
    return path, FileSigner.create(path, "p256")


class Service:
    """Answers as the service would; a test bends the answer."""

    def __init__(self, role: str, subject: str, facts: dict[str, Any], key_id: str) -> None:
        payload = canonical(facts)
        self.ready: dict[str, Any] = {
            "payload": to_base64(payload),
            "key_ids": [key_id],
            "body": {
                "schema": "sanitrail/personal-signature/1", "role": role, "subject": subject,
                "sha256": sha256_hex(payload), "signer": "p-7", "shown": "what you sign", "said": "",
            },
        }  # fmt: skip
        self.asked: list[str] = []
        self.sent: list[tuple[str, dict[str, Any]]] = []

    def get(self, _: Client, path: str) -> dict[str, Any]:
        self.asked.append(path)
        return self.ready

    def post(self, _: Client, path: str, body: dict[str, Any]) -> None:
        self.sent.append((path, body))


def _run(monkeypatch: pytest.MonkeyPatch, service: Service, *arguments: str, answer: str = "y\n") -> Result:
    def get(client: Client, path: str) -> dict[str, Any]:
        return service.get(client, path)

    def post(client: Client, path: str, body: dict[str, Any]) -> None:
        service.post(client, path, body)

    monkeypatch.setattr(Client, "get", get)
    monkeypatch.setattr(Client, "post", post)
    return CliRunner().invoke(cli, ["sign-facts", *arguments, "--server", "http://127.0.0.1:1"], input=answer)


def _destruction(key: FileSigner) -> Service:
    return Service("witness", "DR-00007", destruction_facts().to_dict(), key.key_id)


def test_the_facts_are_shown_and_exactly_they_are_signed(
    monkeypatch: pytest.MonkeyPatch, key: tuple[Path, FileSigner]
) -> None:
    path, signer = key
    service = _destruction(signer)
    result = _run(monkeypatch, service, "DR-00007", "--role", "witness", "--key", str(path))
    assert result.exit_code == 0, result.output
    assert "WD-WCC6Y3TN7F2K" in result.output
    assert service.asked == ["/destructions/DR-00007/signing?role=witness"]
    ((address, message),) = service.sent
    assert address == "/destructions/DR-00007/signatures"
    public = load_public_key(signer.public_key_der)
    body, _ = open_envelope(message["envelope"], {signer.key_id: public}, "personal-signature", exact=True)
    assert {name: value for name, value in body.items() if name != "time"} == service.ready["body"]


def test_a_processors_statement_is_shown_with_what_is_open(
    monkeypatch: pytest.MonkeyPatch, key: tuple[Path, FileSigner]
) -> None:
    path, signer = key
    facts = Processor(three_media(World()), {"choice": "return"}).compose()
    service = Service("responsible", facts.number, facts.to_dict(), signer.key_id)
    result = _run(monkeypatch, service, facts.number, "--key", str(path))
    assert result.exit_code == 0, result.output
    assert "open            CRM production: Return the data to the controller." in result.output
    assert service.sent[0][0] == f"/processor-statements/{facts.number}/signature"


def test_nothing_is_signed_without_a_yes(monkeypatch: pytest.MonkeyPatch, key: tuple[Path, FileSigner]) -> None:
    path, signer = key
    service = _destruction(signer)
    assert _run(monkeypatch, service, "DR-00007", "--role", "witness", "--key", str(path), answer="n\n").exit_code
    assert service.sent == []


@pytest.mark.parametrize(
    "change",
    [
        {"sha256": "0" * 64},
        {"subject": "DR-99999"},
        {"role": "countersigner"},
        {"schema": "sanitrail/approval/1"},
        {"more": "x"},
    ],
)
def test_a_service_that_asks_for_something_else_is_refused(
    monkeypatch: pytest.MonkeyPatch, key: tuple[Path, FileSigner], change: dict[str, str]
) -> None:
    path, signer = key
    service = _destruction(signer)
    service.ready["body"] |= change
    result = _run(monkeypatch, service, "DR-00007", "--role", "witness", "--key", str(path))
    assert result.exit_code
    assert service.sent == []


def test_facts_that_are_none_and_a_key_that_does_not_count_are_refused(
    monkeypatch: pytest.MonkeyPatch, key: tuple[Path, FileSigner]
) -> None:
    path, signer = key
    arguments = ("DR-00007", "--role", "witness", "--key", str(path))
    assert _run(monkeypatch, Service("witness", "DR-00007", {"a": 1}, signer.key_id), *arguments).exit_code
    service = _destruction(signer)
    service.ready["key_ids"] = ["0" * 64]
    assert _run(monkeypatch, service, *arguments).exit_code
    assert service.sent == []
