"""The commands of a host without a network as processes of their own, and the service that what they write is carried to."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from inventory.errors import EvidenceRefused, InventoryError
from inventory.services import hosts, return_bundles
from inventory.services.return_bundles import ReceiveReturnBundle
from inventory.services.setup import trust
from reports.envelope import payload_digest, sign, unverified_body
from reports.keys import FileSigner
from tests.support.inventory_world import copied_world

ROOT = Path(__file__).resolve().parents[2]


def _command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The agent's own command, as somebody types it at the host."""
    line = [sys.executable, "-m", "agents", "--config", str(folder / "agent.toml"), "airgap", *words]
    return subprocess.run(line, capture_output=True, text=True, check=False, timeout=60, cwd=ROOT)


def test_a_host_is_introduced_and_enrolled_by_its_commands_and_believes_only_the_published_digests(
    tmp_path: Path,
) -> None:
    (tmp_path / "agent.toml").write_text(f'state_dir = "{tmp_path}/state"\nlocal_rules = "{tmp_path}/rules.toml"\n')
    letter, brought, back = (tmp_path / name for name in ("introduction.json", "introduced.json", "back.json"))
    with copied_world(tmp_path / "service") as world:
        context, admin = world.context, world.actor("admin")
        token = hosts.create_enrolment_token(context, admin, hosts.CreateEnrolmentToken(note="cage")).secret
        early = _command(tmp_path, "out", "--to", str(back))
        assert early.returncode != 0
        assert not back.exists()
        made = _command(tmp_path, "introduce", "--token", token, "--to", str(letter))
        assert made.returncode == 0, made.stderr
        introduction = unverified_body(json.loads(letter.read_text()), "return-bundle")
        with pytest.raises(EvidenceRefused):  # signed by another key than it brings
            return_bundles.introduce(context, admin, sign("return-bundle", introduction, FileSigner.generate()))
        answer = return_bundles.introduce(context, admin, json.loads(letter.read_text()))
        assert answer.reply.fingerprint in made.stdout, "what an administrator compares"
        brought.write_text(answer.model_dump_json(by_alias=True))
        assert answer.reply.roster is not None
        pin, roster = trust(context).pin, payload_digest(answer.reply.roster.model_dump())
        for wrong in (("0" * 64, roster), (pin, "0" * 64)):
            turned_away = _command(tmp_path, "enrol", str(brought), "--trust-root", wrong[0], "--roster", wrong[1])
            assert turned_away.returncode != 0
            assert not (tmp_path / "state/enrolment.json").exists(), "nothing is pinned by half"
        taken = _command(tmp_path, "enrol", str(brought), "--trust-root", pin, "--roster", roster)
        assert taken.returncode == 0, taken.stderr
        assert answer.reply.fingerprint in taken.stdout
        hosts.confirm(context, admin, answer.reply.host, answer.reply.fingerprint)
        assert _command(tmp_path, "out", "--no-devices", "--to", str(back)).returncode == 0
        receive = ReceiveReturnBundle(envelope=json.loads(back.read_text()))
        assert return_bundles.receive(context, world.actor("custodian"), receive).new


def test_an_answer_to_another_hosts_introduction_is_turned_away(tmp_path: Path) -> None:
    (tmp_path / "agent.toml").write_text(f'state_dir = "{tmp_path}/state"\n')
    letter, brought = tmp_path / "introduction.json", tmp_path / "introduced.json"
    with copied_world(tmp_path / "service") as world:
        context, admin = world.context, world.actor("admin")
        token = hosts.create_enrolment_token(context, admin, hosts.CreateEnrolmentToken(note="cage")).secret
        assert _command(tmp_path, "introduce", "--token", token, "--to", str(letter)).returncode == 0
        answer = return_bundles.introduce(context, admin, json.loads(letter.read_text()))
        brought.write_text(answer.model_dump_json(by_alias=True))
        shutil.rmtree(tmp_path / "state")
        assert _command(tmp_path, "introduce", "--token", token, "--to", str(letter)).returncode == 0
        with pytest.raises(InventoryError):  # one token, one host
            return_bundles.introduce(context, admin, json.loads(letter.read_text()))
        refused = _command(tmp_path, "enrol", str(brought), "--trust-root", trust(context).pin)
        assert refused.returncode != 0
        assert "another host's key" in refused.stderr
