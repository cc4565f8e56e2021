"""The ceremonies of keys: by the real commands from beginning to end, and cut off at every step."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from inventory.clock import SystemClock
from inventory.errors import Conflict, Invalid, SetupError
from inventory.services import keys, setup, transparency
from inventory.services._anchor import anchor_at
from inventory.services.context import Context
from inventory.services.keys import Changes
from inventory.settings import Settings
from reports.anchor import open_anchor
from reports.canonical import to_base64
from reports.ceremony import merge, read_proposal, sign_proposal
from reports.errors import ReportError
from reports.keys import FileSigner
from tests.support.inventory_world import World, copied_world
from tests.support.killing import killed_at, lines_of

PASSPHRASE = "correct horse battery staple"
FILES = (
    "services/keys.py",
    "services/_seal_keys.py",
    "services/setup.py",
    "inventory/secrets_store.py",
    "inventory/ledger.py",
    "inventory/log_guard.py",
    "inventory/db.py",
    "reports/keys.py",
)
ROOTS = [FileSigner.generate() for _ in range(3)]
SPKIS = tuple(root.public_key_der for root in ROOTS)
KILLS = 12
"""Of the steps of an action, this many spread evenly, the first and the last ones among them."""


class Commands:
    """`sanitrail` in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "passphrase").write_text(PASSPHRASE + "\n")

    def run(self, *words: str, typed: str = "", code: int = 0, data: str = "data") -> str:
        """One command; its output."""
        environment = {**os.environ, "SANITRAIL_DATA_DIR": str(self.folder / data), "NO_COLOR": "1"}
        done = subprocess.run(
            [sys.executable, "-m", "inventory.cli", *words],
            cwd=self.folder,
            env=environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout + done.stderr

    def sign(self, file: str, key: str, *, code: int = 0) -> str:
        """A root key's holder reads and says yes."""
        words = ("keys", "sign", file, "--key", f"{key}.key", "--passphrase-file", "passphrase")
        return self.run(*words, typed="yes\n", code=code)

    def root_keys(self, *names: str) -> None:
        """Root keys, each made on its own offline machine."""
        for name in names:
            self.run("keys", "new-root-key", f"{name}.key", "--passphrase-file", "passphrase")


def _offline(names: str = "abc") -> list[str]:
    return [word for name in names for word in ("--root-key", f"{name}.pub")]


def test_a_service_that_began_alone_is_given_an_offline_root(tmp_path: Path) -> None:
    """Two of three, signed side by side; the service's own root key goes; the log's keys are replaced later."""
    do = Commands(tmp_path)
    do.root_keys("a", "b", "c", "stranger")
    assert "one root key, held by this service" in do.run("init")
    said = do.run("keys", "propose", "--out", "2.json", *_offline(), "--threshold", "2")
    assert said.count("ROOT KEY added") == 3
    assert "2 of 3 root keys must sign later versions; until now 1 of 1." in said
    assert "Still needed: 2 signatures" in do.run("keys", "publish", "2.json", code=3)
    shutil.copy(tmp_path / "2.json", tmp_path / "copy.json")
    do.sign("2.json", "a")
    do.sign("copy.json", "b")
    assert "a root key of neither version" in do.sign("copy.json", "stranger", code=3)
    assert "names this root key" in do.run("keys", "retire-root-key", code=3)
    assert "Version 2 of the trust root is in force" in do.run("keys", "publish", "2.json", "copy.json")
    assert "was in force already" in do.run("keys", "publish", "2.json", "copy.json")
    assert "is deleted" in do.run("keys", "retire-root-key")
    assert "holds no root key" in do.run("keys", "retire-root-key")
    assert not (tmp_path / "data/secrets/root.pem").exists()
    assert "--out" in do.run("keys", "rotate", "log", code=3)
    do.run("keys", "rotate", "log", "--out", "3.json")
    for name in "bc":
        do.sign("3.json", name)
    do.run("keys", "publish", "3.json")
    do.run("keys", "rotate", "seal")
    do.run("log", "fsck")
    listed = do.run("keys", "list")
    assert "2 of 3 must sign; trust root version 3" in listed
    assert "held by this service" not in listed


def test_a_service_that_begins_with_an_offline_root_never_holds_one(tmp_path: Path) -> None:
    do = Commands(tmp_path)
    do.root_keys("a", "b", "c")
    first = ("init", *_offline(), "--threshold", "2", "--out", "first.json")
    do.run(*first)
    before = (tmp_path / "first.json").read_bytes()
    do.run(*first)
    assert (tmp_path / "first.json").read_bytes() == before, "cut off and done again, it is the same proposal"
    assert "An offline root was proposed" in do.run("init", code=3)
    do.sign("first.json", "a")
    assert "not finished" in do.run("init", "--trust-root", "first.json", code=3)
    do.sign("first.json", "c")
    for _ in range(2):
        assert "2 of 3 root keys must sign" in do.run("init", "--trust-root", "first.json")
    assert not (tmp_path / "data/secrets/root.pem").exists()
    do.run("init", "--trust-root", "first.json", data="other", code=3)


def test_saying_no_signs_nothing(tmp_path: Path) -> None:
    do = Commands(tmp_path)
    do.root_keys("a")
    do.run("init")
    do.run("keys", "propose", "--out", "2.json", *_offline("a"), "--threshold", "1")
    before = (tmp_path / "2.json").read_bytes()
    words = ("keys", "sign", "2.json", "--key", "a.key", "--passphrase-file", "passphrase")
    for typed in ("no\n", "y\n", "\n"):
        assert "Nothing was signed" in do.run(*words, typed=typed, code=3)
    (tmp_path / "passphrase").write_text("another passphrase")
    assert "the passphrase is another" in do.run(*words, typed="yes\n", code=3)
    assert (tmp_path / "2.json").read_bytes() == before


def test_a_root_key_is_made_once_and_its_public_half_again(tmp_path: Path) -> None:
    do = Commands(tmp_path)
    do.root_keys("a")
    key = (tmp_path / "a.key").read_bytes()
    assert (tmp_path / "a.key").stat().st_mode & 0o777 == 0o600
    public = (tmp_path / "a.pub").read_bytes()
    (tmp_path / "a.pub").unlink()
    do.root_keys("a")
    assert ((tmp_path / "a.key").read_bytes(), (tmp_path / "a.pub").read_bytes()) == (key, public)
    openssl = ["openssl", "pkey", "-in", "a.key", "-passin", f"pass:{PASSPHRASE}", "-pubout"]
    assert subprocess.run(openssl, cwd=tmp_path, capture_output=True, check=True).stdout == public


BARE = """
import sys

class Server:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"sqlalchemy", "pydantic", "flask", "alembic", "rich", "httpx2"}:
            raise ImportError(name)

sys.meta_path.insert(0, Server())
from inventory.cli import main
main()
"""


def test_an_offline_machine_needs_no_more_than_the_verifier(tmp_path: Path) -> None:
    do = Commands(tmp_path)
    do.root_keys("a")
    do.run("init")
    do.run("keys", "propose", "--out", "2.json", *_offline("a"), "--threshold", "1")
    for words in (
        ["keys", "new-root-key", "b.key", "--passphrase-file", "passphrase"],
        ["keys", "show", "2.json"],
        ["keys", "sign", "2.json", "--key", "a.key", "--passphrase-file", "passphrase"],
    ):
        done = subprocess.run(
            [sys.executable, "-c", BARE, *words],
            cwd=tmp_path,
            input="yes\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
    do.run("keys", "publish", "2.json")


# -- cut off at every step


def _anchored(context: Context) -> int:
    """The version of the trust root that a file made now rests on, checked as a verifier would."""
    with context.reading() as session:
        size = transparency.checkpoint(context).size
        opened = open_anchor(anchor_at(session, context, size), setup.trust(context).pin)
    assert setup.seal_key(context).certificate
    return opened.trust.body.version


def _signed(proposal: bytes, *roots: FileSigner) -> bytes:
    found = read_proposal(proposal)
    for root in roots:
        found = sign_proposal(found, root)
    return found.to_bytes()


def _everything(world: World) -> bytes:
    """A signed proposal that replaces every key there is."""
    changes = Changes(root_keys=SPKIS, threshold=2, rotate=frozenset(keys.ROTATED))
    return _signed(keys.propose(world.context, changes).proposal.to_bytes(), *ROOTS[:2])


def _steps(count: int) -> list[int]:
    return sorted({1, 2, count - 1, count, *range(1, count, max(1, count // KILLS))})


def _killed_everywhere(
    prepared: Path, tmp_path: Path, action: Callable[[Path], object], mended: Callable[[Path], None]
) -> None:
    """Run the action on copies of a data directory, killed at one step after another; done again, it must be mended."""
    whole = tmp_path / "whole"
    shutil.copytree(prepared, whole)
    count = lines_of(lambda: action(whole), FILES)
    assert count > KILLS
    died = 0
    for step in _steps(count):
        folder = tmp_path / f"step-{step}"
        shutil.copytree(prepared, folder)
        died += killed_at(lambda folder=folder: action(folder), FILES, step)  # type: ignore[misc]  # bound at once
        mended(folder)
        shutil.rmtree(folder)
    assert died >= KILLS


def _opened(folder: Path) -> Context:
    return setup.open_inventory(Settings(data_dir=folder), SystemClock())


def test_publishing_is_mended_by_publishing_again(tmp_path: Path) -> None:
    with copied_world(tmp_path / "data") as world:
        signed = _everything(world)

    def publish(folder: Path) -> None:
        context = _opened(folder)
        keys.publish(context, [signed])
        context.database.close()

    def mended(folder: Path) -> None:
        context = _opened(folder)
        assert _anchored(context) in {1, 2}
        published = keys.publish(context, [signed])
        assert published.version == 2
        assert _anchored(context) == 2
        context.database.close()
        context = _opened(folder)
        assert len(setup.trust(context).versions) == 2
        context.database.close()

    _killed_everywhere(tmp_path / "data", tmp_path, publish, mended)


def test_proposing_rotating_a_seal_and_retiring_are_mended_by_doing_them_again(tmp_path: Path) -> None:
    with copied_world(tmp_path / "data") as world:
        keys.publish(world.context, [_everything(world)])

    def change(folder: Path) -> None:
        context = _opened(folder)
        keys.rotate_seal(context, revoke="seal")
        keys.retire_root_key(context)
        keys.propose(context, Changes(rotate=frozenset({"acceptance", "log"})))
        context.database.close()

    def mended(folder: Path) -> None:
        context = _opened(folder)
        assert _anchored(context) == 2
        change(folder)
        proposal = keys.propose(context, Changes(rotate=frozenset({"acceptance", "log"}))).proposal
        assert keys.publish(context, [_signed(proposal.to_bytes(), *ROOTS[1:])]).version == 3
        assert _anchored(context) == 3
        assert not (folder / "secrets/root.pem").exists()
        context.database.close()

    _killed_everywhere(tmp_path / "data", tmp_path, change, mended)


def test_beginning_is_mended_by_beginning_again(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o700)

    def begin(folder: Path) -> None:
        setup.initialise(Settings(data_dir=folder), SystemClock()).database.close()

    def mended(folder: Path) -> None:
        begin(folder)
        context = _opened(folder)
        assert _anchored(context) == 1
        context.database.close()

    _killed_everywhere(tmp_path / "data", tmp_path, begin, mended)


# -- what the service refuses


def test_only_one_version_follows_the_one_in_force(tmp_path: Path) -> None:
    with copied_world(tmp_path / "data") as world:
        first, second = (
            keys.propose(world.context, Changes(rotate=frozenset({role}))) for role in ("log", "enrolment")
        )
        keys.publish(world.context, [first.proposal.to_bytes()])
        with pytest.raises(Conflict, match="Version 2 is in force"):
            keys.publish(world.context, [second.proposal.to_bytes()])
        with pytest.raises(ReportError):
            merge(first.proposal, second.proposal)


def test_a_running_service_takes_up_the_keys_that_a_command_published(tmp_path: Path) -> None:
    with copied_world(tmp_path / "data") as world:
        running = world.context
        before = running.secrets.signer("enrolment").key_id
        command = _opened(tmp_path / "data")
        proposed = keys.propose(command, Changes(rotate=frozenset({"log", "enrolment", "acceptance"})))
        keys.publish(command, [proposed.proposal.to_bytes()])
        command.database.close()
        world.enrol_agent("later", [])
        assert running.secrets.signer("enrolment").key_id != before
        assert _anchored(running) == 2
        assert running.ledger.vkeys == setup.trust(running).vkeys


def test_a_proposal_that_travelled_too_long_is_refused(tmp_path: Path) -> None:
    """What the old key signed after its planned end would stop counting by the way."""
    with copied_world(tmp_path / "data") as world:
        proposed = keys.propose(world.context, Changes(rotate=frozenset({"enrolment"}), overlap=1))
        world.enrol_agent("one", [])
        with pytest.raises(Conflict, match="travelled too long"):
            keys.publish(world.context, [proposed.proposal.to_bytes()])
        assert _anchored(world.context) == 1


def test_a_stolen_key_of_the_service_ends_in_the_past(tmp_path: Path) -> None:
    with copied_world(tmp_path / "data") as world:
        old = world.context.secrets.signer("acceptance").key_id
        with pytest.raises(Invalid):
            keys.propose(world.context, Changes(stolen={"acceptance": 10_000}))
        proposed = keys.propose(world.context, Changes(stolen={"acceptance": 2}))
        keys.publish(world.context, [proposed.proposal.to_bytes()])
        with world.context.reading() as session:
            trust = world.context.ledger.keyring.require(session).trust
        assert [index for index in range(5) if old in trust.keys("acceptance", index)] == [0, 1]


def test_a_version_whose_keys_are_not_here_is_not_published(tmp_path: Path) -> None:
    with copied_world(tmp_path / "data") as world:
        proposed = keys.propose(world.context, Changes(rotate=frozenset({"acceptance"})))
        (tmp_path / "data/secrets/acceptance-v2.pem").unlink()
        world.context.secrets._signers.clear()
        with pytest.raises(SetupError, match="is not in"):
            keys.publish(world.context, [proposed.proposal.to_bytes()])
        assert _anchored(world.context) == 1


def test_a_key_may_live_elsewhere(tmp_path: Path) -> None:
    """A URI in the settings takes the place of a file; another kind than this installation knows is refused."""
    with copied_world(tmp_path / "data"):
        pass
    away = tmp_path / "acceptance.pem"
    (tmp_path / "data/secrets/acceptance.pem").rename(away)
    with pytest.raises(SetupError, match="is not in"):
        _opened(tmp_path / "data")
    settings = Settings(data_dir=tmp_path / "data", key_sources={"acceptance": f"file:{away}"})
    context = setup.open_inventory(settings, SystemClock())
    assert context.secrets.signer("acceptance").key_id == FileSigner.load(away).key_id
    context.database.close()
    with pytest.raises(SetupError, match="no keys of the kind 'smoke'"):
        setup.open_inventory(settings.model_copy(update={"key_sources": {"acceptance": "smoke:signal"}}), SystemClock())


def test_root_keys_are_named_once_and_a_threshold_can_be_met(tmp_path: Path) -> None:
    with copied_world(tmp_path / "data") as world:
        for changes in (
            Changes(root_keys=(SPKIS[0], SPKIS[0]), threshold=1),
            Changes(root_keys=SPKIS, threshold=4),
            Changes(root_keys=(world.context.secrets.signer("acceptance").public_key_der,), threshold=1),
        ):
            with pytest.raises(ReportError):
                keys.propose(world.context, changes)
        body = keys.propose(world.context, Changes(root_keys=SPKIS, threshold=2)).proposal.body()
        assert body.root_keys == tuple(to_base64(spki) for spki in SPKIS)
