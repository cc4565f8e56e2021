"""Passwords, PSIDs, and drives that are not at rest: what the command line does and refuses."""

from __future__ import annotations

import dataclasses
import json
import os
import stat
import types
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sanitizer import api
from sanitizer.capability import SanitizePhase, Tri
from sanitizer.capacity import CapacityChange
from sanitizer.clearance import Clearance
from sanitizer.cli import escrow, main, planning, recovering, wiping
from sanitizer.errors import EscrowNotConfirmed, SanitizeInProgress, TechniqueFailed
from sanitizer.inspection import Inspection
from sanitizer.journal import Journal
from sanitizer.planning import PlanRequest, plan
from sanitizer.reverting import Recovery, RecoveryRequest
from sanitizer.run import RunResult
from sanitizer.techniques.base import Escrow
from tests.support import made_up_drives as made
from tests.support.pretend_techniques import PRETENDED

SECRET = b"correct-horse-battery-staple-012"
KEPT = Escrow(kind="ata-user-password", secret=SECRET, recovery="Run sanitizer unlock.")
PRINT = made.ATA_OLD_HDD.fingerprint or ""


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words))


# --- the file a password is kept in -----------------------------------------------------------------------------------


def test_a_password_is_kept_where_only_its_owner_reads_it_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "password.json"
    escrow.into_file(path, "/dev/sdb", PRINT)(KEPT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert escrow.from_file(path, PRINT) == SECRET
    assert json.loads(path.read_text())["recovery"] == "Run sanitizer unlock."


def test_the_password_is_durable_before_it_counts_as_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced: list[str] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    escrow.into_file(tmp_path / "password.json", "/dev/sdb", PRINT)(KEPT)
    assert synced == ["password.json", tmp_path.name]


def test_an_existing_file_is_never_written_over(tmp_path: Path) -> None:
    path = tmp_path / "password.json"
    path.write_text("another drive's")
    with pytest.raises(EscrowNotConfirmed, match="exists already"):
        escrow.into_file(path, "/dev/sdb", PRINT)(KEPT)
    assert path.read_text() == "another drive's"


def test_a_folder_that_is_not_there_keeps_nothing(tmp_path: Path) -> None:
    with pytest.raises(EscrowNotConfirmed):
        escrow.into_file(tmp_path / "missing" / "password.json", "/dev/sdb", PRINT)(KEPT)


def test_a_file_of_another_drive_is_not_used(tmp_path: Path) -> None:
    path = tmp_path / "password.json"
    escrow.into_file(path, "/dev/sdb", "0" * 64)(KEPT)
    with pytest.raises(escrow.SecretUnusable, match="another device"):
        escrow.from_file(path, PRINT)


@pytest.mark.parametrize("data", [b"", b"x" * 5000, b"{}", b'{"secret_hex": "zz", "fingerprint": "1"}', b"{"])
def test_a_file_that_holds_no_password_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "password"
    path.write_bytes(data)
    with pytest.raises(escrow.SecretUnusable):
        escrow.from_file(path, PRINT)


def test_a_plain_password_is_taken_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(b"swordfish\r\n")
    assert escrow.from_file(path, None) == b"swordfish"


@pytest.mark.parametrize("text", ["ABCD1234" * 4, "ABCD-1234-" * 4, " ABCD1234 ABCD1234\nABCD1234 ABCD1234\n"])
def test_a_psid_is_read_as_it_stands_on_the_label(tmp_path: Path, text: str) -> None:
    path = tmp_path / "psid"
    path.write_text(text)
    assert escrow.psid_from(path) == b"ABCD1234" * 4


@pytest.mark.parametrize("text", ["ABCD1234" * 3, "ABCD123!" * 4, "x"])
def test_what_is_no_psid_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "psid"
    path.write_text(text)
    with pytest.raises(escrow.SecretUnusable):
        escrow.psid_from(path)


# --- wipe ---------------------------------------------------------------------------------------------------------------


class Engine:
    """Stands where `api.sanitize` is; keeps what it was handed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, inspection: Inspection) -> None:
        self.calls: list[tuple[Clearance, dict[str, Any]]] = []
        monkeypatch.setattr(api, "inspect", lambda _path: inspection)
        monkeypatch.setattr(api, "sanitize", self.sanitize)
        self.error = TechniqueFailed(technique="ata-security-erase", reason="not in this test")

    def sanitize(self, clearance: Clearance, _run_id: str, _journal_dir: Path, **hooks: Any) -> RunResult:  # noqa: ANN401 - as it comes
        self.calls.append((clearance, hooks))
        raise self.error


def now(inspection: Inspection) -> Inspection:
    return dataclasses.replace(inspection, taken=datetime.now(UTC) - timedelta(seconds=1))


def test_without_an_escrow_file_no_drive_is_given_a_password(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(monkeypatch, now(made.ATA_OLD_HDD))
    result = run("wipe", "/dev/sim", "--method", "purge", "--confirm", PRINT)
    assert result.exit_code == 3
    assert "escrow-not-confirmed" in result.output
    assert engine.calls == []


def test_the_engine_is_handed_a_keeper_that_writes_the_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = Engine(monkeypatch, now(made.ATA_OLD_HDD))
    path = tmp_path / "password.json"
    run("wipe", "/dev/sim", "--method", "purge", "--confirm", PRINT, "--escrow-file", str(path))
    ((clearance, hooks),) = engine.calls
    assert not path.exists()
    hooks["escrow"](KEPT)
    assert escrow.from_file(path, PRINT) == SECRET
    assert hooks["secret"] == b""
    assert clearance.plan.steps == ("ata-security-erase-enhanced",)


def test_what_auto_chose_is_what_is_sealed(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(monkeypatch, now(made.ATA_SSD))
    run("wipe", "/dev/sim", "--method", "purge", "--confirm", made.ATA_SSD.fingerprint or "")
    ((clearance, hooks),) = engine.calls
    assert clearance.plan.request.technique == "ata-sanitize-block-erase"
    assert hooks["escrow"] is None


def test_the_engine_is_handed_what_a_revert_needs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    owned = now(made.drive(made.capabilities(nvme=made.nvme(), opal=made.opal(locking_enabled=Tri.YES))))
    for each in (wiping, planning):
        monkeypatch.setattr(each, "plan", lambda request, inspection: plan(request, inspection, PRETENDED))
    engine = Engine(monkeypatch, owned)
    psid, owner = tmp_path / "psid", tmp_path / "owner"
    psid.write_text("ABCD1234" * 4)
    owner.write_text("swordfish\n")
    words = ("wipe", "/dev/sim", "--confirm", owned.fingerprint or "", "--technique")
    for technique, option, path in (
        ("opal-psid-revert", "--psid-file", psid),
        ("opal-revert", "--owner-password-file", owner),
    ):
        assert run(*words, technique).exit_code == 2
        run(*words, technique, option, str(path))
    assert [hooks["secret"] for _, hooks in engine.calls] == [b"ABCD1234" * 4, b"swordfish"]


def test_a_file_without_a_psid_is_told_before_anything_begins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    owned = now(made.drive(made.capabilities(nvme=made.nvme(), opal=made.opal())))
    engine = Engine(monkeypatch, owned)
    for each in (wiping, planning):
        monkeypatch.setattr(each, "plan", lambda request, inspection: plan(request, inspection, PRETENDED))
    (tmp_path / "psid").write_text("no PSID")
    words = ("--technique", "opal-psid-revert", "--psid-file", str(tmp_path / "psid"))
    result = run("wipe", "/dev/sim", "--confirm", owned.fingerprint or "", *words)
    assert result.exit_code == 2
    assert "a PSID has 32 letters and digits" in result.output
    assert engine.calls == []


def test_one_password_file_serves_one_device(tmp_path: Path) -> None:
    result = run("wipe", "/dev/sda", "/dev/sdb", "--escrow-file", str(tmp_path / "password"))
    assert result.exit_code == 2
    assert "name one DEVICE" in result.output


# --- resume -------------------------------------------------------------------------------------------------------------


def pending(request: PlanRequest, **changes: Any) -> api.PendingRun:  # noqa: ANN401 - fields of different types
    base: dict[str, Any] = {
        "run_id": "run-1",
        "journal_dir": Path("/nowhere"),
        "path": "/dev/sim",
        "fingerprint": PRINT,
        "plan_request": request,
        "sample_seed": "0",
        "state": "interrupted",
        "pass_number": 1,
        "passes": 1,
        "durable_bytes": 0,
        "started": "2026-01-01T00:00:00Z",
        "touched": "yes",
        "result": None,
        "error": None,
        "steps": request.steps,
        "own_work": True,
    }
    return api.PendingRun(**{**base, **changes})


class Resuming:
    """Stands where `api.resume` is, before a drive with the run's own work under way."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, run_: api.PendingRun) -> None:
        self.clearances: list[Clearance] = []
        busy = made.drive(made.capabilities(ata=made.ata(), standing=made.standing(SanitizePhase.IN_PROGRESS)))
        obstacles = (SanitizeInProgress(progress=7),)
        monkeypatch.setattr(api, "inspect", lambda _path: now(dataclasses.replace(busy, obstacles=obstacles)))
        monkeypatch.setattr(api, "pending_runs", lambda _folder: [run_])
        monkeypatch.setattr(api, "resume", self.resume)

    def resume(self, _run: api.PendingRun, clearance: Clearance, **_hooks: Any) -> RunResult:  # noqa: ANN401 - as it comes
        self.clearances.append(clearance)
        raise TechniqueFailed(technique="ata-sanitize-overwrite", reason="not in this test")


RESUME = ("resume", "run-1", "--device", "/dev/sim", "--confirm", PRINT)


def test_a_run_goes_on_while_its_own_operation_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    request = PlanRequest(method="purge", technique="ata-sanitize-overwrite", pattern_set="canaries")
    resuming = Resuming(monkeypatch, pending(request))
    assert run(*RESUME).exit_code == 4
    assert [each.plan.digest for each in resuming.clearances] == [request.digest]


def test_somebody_elses_operation_keeps_a_run_from_going_on(monkeypatch: pytest.MonkeyPatch) -> None:
    request = PlanRequest(method="purge", technique="ata-sanitize-overwrite", pattern_set="canaries")
    resuming = Resuming(monkeypatch, pending(request, own_work=False))
    result = run(*RESUME)
    assert result.exit_code == 3
    assert "sanitize-in-progress" in result.output
    assert resuming.clearances == []


def test_a_security_erase_goes_on_without_a_new_file(monkeypatch: pytest.MonkeyPatch) -> None:
    request = PlanRequest(technique="ata-security-erase", pattern_set="canaries")
    resuming = Resuming(monkeypatch, pending(request))
    run(*RESUME)
    assert len(resuming.clearances) == 1


# --- settle -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "status", "words"),
    [
        (SanitizePhase.SUCCEEDED, 0, "says that its newest sanitize operation succeeded"),
        (SanitizePhase.FAILED, 4, "failed"),
        (SanitizePhase.FAILED_RESTRICTED, 4, "accepts nothing but another sanitize"),
        (SanitizePhase.UNKNOWN, 4, "could not be learnt"),
        (SanitizePhase.IDLE, 0, "nothing is under way"),
        (SanitizePhase.NEVER, 0, "knows of no sanitize operation"),
        (SanitizePhase.IN_PROGRESS, 5, "still at work"),
    ],
)
def test_settling_tells_the_drives_word_and_never_calls_it_proof(
    monkeypatch: pytest.MonkeyPatch, phase: SanitizePhase, status: int, words: str
) -> None:
    monkeypatch.setattr(api, "settle", lambda *_a, **_k: made.standing(phase))
    result = run("settle", "/dev/sim")
    assert result.exit_code == status
    text = " ".join(result.output.split())
    assert words in text
    assert "proves nothing: the medium does not count as sanitized" in text
    document = json.loads(run("settle", "/dev/sim", "--json").output)
    assert (document["phase"], document["proves"]) == (phase.value, "nothing")


def test_every_phase_has_an_end_to_tell() -> None:
    assert set(recovering._ENDS) == set(SanitizePhase)


# --- unlock -------------------------------------------------------------------------------------------------------------


class Unlocking:
    """Stands where `api.unlock` is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.given: list[tuple[Path, bytes]] = []
        monkeypatch.setattr(api, "inspect", lambda _path: made.ATA_OLD_HDD)
        monkeypatch.setattr(api, "list_devices", lambda: [made.ATA_OLD_HDD])
        monkeypatch.setattr(api, "pending_runs", lambda _folder: [])
        monkeypatch.setattr(api, "unlock", lambda path, secret: self.given.append((path, secret)))


def test_a_device_is_unlocked_with_the_file_that_wipe_wrote(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unlocking, path = Unlocking(monkeypatch), tmp_path / "password.json"
    escrow.into_file(path, "/dev/sim", PRINT)(KEPT)
    result = run("unlock", "/dev/sim", "--password-file", str(path))
    assert result.exit_code == 0
    assert unlocking.given == [(Path("/dev/sim"), SECRET)]
    assert "does not count as sanitized" in result.output
    assert SECRET.decode() not in result.output


def test_the_password_of_another_drive_is_not_tried(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unlocking, path = Unlocking(monkeypatch), tmp_path / "password.json"
    escrow.into_file(path, "/dev/sim", "0" * 64)(KEPT)
    assert run("unlock", "/dev/sim", "--password-file", str(path)).exit_code == 2
    assert unlocking.given == []


def test_without_a_password_nothing_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    unlocking = Unlocking(monkeypatch)
    assert run("unlock", "/dev/sim").exit_code == 2
    assert unlocking.given == []


def test_a_run_is_unlocked_with_the_password_in_its_journal(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    unlocking = Unlocking(monkeypatch)
    journal = Journal.create(tmp_path, "run-1")
    journal.append("ata-password", {"technique": "ata-security-erase", "password": SECRET.decode()})
    journal.append("command-sending", {"sent": "f1"})
    journal.close()
    pending = types.SimpleNamespace(run_id="run-1", state="interrupted", fingerprint=PRINT)
    monkeypatch.setattr(api, "pending_runs", lambda _folder: [pending])
    assert run("unlock", "run-1", "--journal-dir", str(tmp_path)).exit_code == 0
    assert unlocking.given == [(Path("/dev/sim"), SECRET)]


# --- hidden capacity ------------------------------------------------------------------------------------------------------


class Restoring:
    """Stands where `capacity.restore_capacity` is."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> None:  # noqa: ANN401 - fields of different types
        self.given: list[tuple[str, Path]] = []
        base: dict[str, Any] = {
            "path": "/dev/sim",
            "before": made.UNKNOWN_HIDDEN,
            "before_bytes": 1000,
            "after": made.NOTHING_HIDDEN,
            "after_bytes": 2000,
            "changed": "hpa",
            "command": "SET MAX ADDRESS EXT",
            "next_step": "nothing",
        }
        self.change = CapacityChange(**{**base, **changes})
        monkeypatch.setattr(api, "inspect", lambda _path: made.ATA_OLD_HDD)
        monkeypatch.setattr(recovering, "restore_capacity", self.restore)

    def restore(self, _path: Path, fingerprint: str, state_dir: Path) -> CapacityChange:
        self.given.append((fingerprint, state_dir))
        return self.change


def test_capacity_is_restored_for_a_confirmed_device_only(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    restoring = Restoring(monkeypatch)
    for words in ((), ("--confirm", "0" * 64)):
        assert run("restore-capacity", "/dev/sim", "--state-dir", str(tmp_path), *words).exit_code == 3
    assert restoring.given == []
    result = run("restore-capacity", "/dev/sim", "--state-dir", str(tmp_path), "--confirm", PRINT)
    assert result.exit_code == 0
    assert restoring.given == [(PRINT, tmp_path)]
    assert "SET MAX ADDRESS EXT was sent; 1.0 kB were addressable, 2.0 kB are now" in result.output


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"next_step": "power-cycle"}, "Power the drive off and on"),
        ({"changed": None, "command": None, "after_bytes": 1000}, "nothing is hidden; 1.0 kB are addressable"),
        ({"changed": None, "command": "MODE SELECT (10)", "after_bytes": 1000, "proven": True}, "these and no more"),
        ({"changed": "block-descriptor", "command": "MODE SELECT (10)", "proven": True}, "these and no more"),
        ({}, "Nothing is hidden any more"),
    ],
)
def test_what_is_left_to_do_is_told(monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], words: str) -> None:
    Restoring(monkeypatch, **changes)
    assert words in run("restore-capacity", "/dev/sim", "--confirm", PRINT).output
    document = json.loads(run("restore-capacity", "/dev/sim", "--confirm", PRINT, "--json").output)
    assert document["next_step"] == changes.get("next_step", "nothing")


# --- bringing back a drive behind TCG locking -----------------------------------------------------------------------------


PSID = "ABCD-EFGH-0123-4567-IJKL-MNOP-89QR-STUV"


class BroughtBack:
    """Stands in for the drive's answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *after: str) -> None:
        self.given: list[tuple[str, RecoveryRequest, bytes]] = []
        self.after = after
        monkeypatch.setattr(api, "inspect", lambda _path: made.ATA_OLD_HDD)
        monkeypatch.setattr(api, "recover_drive", self.recover)

    def recover(
        self, path: str, asked: RecoveryRequest, recovery_id: str, _records: Path, *, secret: bytes, **_more: object
    ) -> Recovery:
        self.given.append((path, asked, secret))
        return Recovery(
            recovery_id=recovery_id,
            path=path,
            fingerprint=PRINT,
            technique=asked.technique,
            before=("locked", "shadowed"),
            after=self.after,
            also_destroyed=("it destroys the other namespaces (2) too",),
            commands=(),
            started="2026-01-01T00:00:00.000Z",
            finished="2026-01-01T00:00:01.000Z",
        )


@pytest.fixture
def label(tmp_path: Path) -> str:
    path = tmp_path / "label"
    path.write_text(f"{PSID}\n")
    return str(path)


def test_a_drive_is_brought_back_for_a_confirmed_device_with_one_secret_only(
    monkeypatch: pytest.MonkeyPatch, label: str
) -> None:
    drive = BroughtBack(monkeypatch)
    assert run("recover", "/dev/sim", "--confirm", PRINT).exit_code == 2
    both = ("--psid-file", label, "--owner-password-file", label)
    assert run("recover", "/dev/sim", "--confirm", PRINT, *both).exit_code == 2
    assert run("recover", "/dev/sim", "--psid-file", label).exit_code == 3
    assert run("recover", "/dev/sim", "--psid-file", label, "--confirm", "0" * 64).exit_code == 3
    assert drive.given == []
    assert run("recover", "/dev/sim", "--psid-file", label, "--confirm", PRINT).exit_code == 0
    ((path, asked, secret),) = drive.given
    assert (path, asked.technique, secret) == (
        made.ATA_OLD_HDD.path,
        "opal-psid-revert",
        PSID.replace("-", "").encode(),
    )
    assert (asked.confirmation.fingerprint, asked.scope) == (PRINT, ())


def test_the_owners_password_and_what_was_accepted_are_handed_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drive, path = BroughtBack(monkeypatch), tmp_path / "owner"
    path.write_text("the owner's\n")
    accepted = ("--accept-scope", "other-namespaces", "--acknowledge", "lvm2-member")
    words = ("recover", "/dev/sim", "--owner-password-file", str(path), "--confirm", PRINT, *accepted)
    assert run(*words).exit_code == 0
    ((_, asked, secret),) = drive.given
    assert (asked.technique, secret, asked.scope) == ("opal-revert", b"the owner's", ("other-namespaces",))
    assert asked.confirmation.acknowledged_signatures == ("lvm2-member",)


def test_what_came_of_it_is_told_and_nothing_is_claimed(
    monkeypatch: pytest.MonkeyPatch, label: str, tmp_path: Path
) -> None:
    BroughtBack(monkeypatch)
    words = ("recover", "/dev/sim", "--psid-file", label, "--confirm", PRINT, "--record-dir", str(tmp_path))
    text = " ".join(run(*words).output.split())
    for part in (
        "was locked, shadowed; it shows its medium again",
        "other namespaces (2)",
        "claims nothing",
        str(tmp_path),
    ):
        assert part in text
    document = json.loads(run(*words, "--json").output)
    assert (document["claims"], document["in_service"]) == ("nothing", True)
    assert document["record"].startswith(str(tmp_path))
    BroughtBack(monkeypatch, "locked")
    still = run(*words)
    assert (still.exit_code, "it still is locked" in still.output) == (4, True)


def test_a_label_that_is_none_is_told_before_the_drive_is_asked(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    drive = BroughtBack(monkeypatch)
    for text in ("", "short", "X" * 33, "?" * 32):
        path = tmp_path / "label"
        path.write_text(text)
        assert run("recover", "/dev/sim", "--psid-file", str(path), "--confirm", PRINT).exit_code == 2
    assert drive.given == []
