"""A witness as a process: what it answers over HTTP, and that it forgets nothing it signed, wherever it is killed."""

from __future__ import annotations

import hashlib
import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from reports.tlog import open_note, parse_vkey
from reports.tlog.witnessing import SIZE_TYPE, Submission, read_cosignatures, read_size
from tests.support.evidence import ORIGIN, MemoryLog
from tests.support.witnesses import NAME, ROOT, Witness, make_log, prepare, serving, submission
from witness.memory import Memory, WitnessError

KILLED = Path(__file__).with_name("killed_witness.py")


@pytest.fixture
def log() -> MemoryLog:
    return make_log(5)


@pytest.fixture
def witness(log: MemoryLog, tmp_path: Path) -> Iterator[Witness]:
    prepare(tmp_path / "w", *(signer.vkey for signer in log.signers))
    with serving(tmp_path / "w") as running:
        yield running


def grow(log: MemoryLog, entries: int = 1) -> None:
    for _ in range(entries):
        log.append_entry(b"entry %d" % log.frontier.size)


def test_each_state_is_cosigned_with_both_kinds_of_keys(witness: Witness, log: MemoryLog) -> None:
    old = 0
    for _ in range(3):
        status, body, _ = witness.post(submission(log, old).to_bytes())
        assert status == 200
        assert [signature.key for _, signature in read_cosignatures(body, log.note(), witness.keys)] == list(
            witness.keys
        )
        old = log.checkpoint.size
        grow(log, 300)


def test_the_same_state_is_cosigned_again_with_the_present_time(witness: Witness, log: MemoryLog) -> None:
    for old in (0, 5, 5):
        assert witness.post(submission(log, old).to_bytes())[0] == 200


def test_it_tells_a_log_that_is_wrong_about_it_its_size(witness: Witness, log: MemoryLog) -> None:
    witness.post(submission(log, 0).to_bytes())
    grow(log)
    status, body, media_type = witness.post(submission(log, 0).to_bytes())
    assert (status, read_size(body), media_type) == (409, 5, SIZE_TYPE)


def test_a_log_that_forks_gets_no_signature_and_the_honest_one_goes_on(witness: Witness, log: MemoryLog) -> None:
    witness.post(submission(log, 0).to_bytes())
    fork = MemoryLog(log.signers)
    for number in range(9):
        fork.append_entry(b"fork %d" % number)
    assert witness.post(submission(fork, 5).to_bytes())[0] == 422
    grow(log)
    assert witness.post(submission(log, 5).to_bytes())[0] == 200


def test_statuses_of_the_specification(witness: Witness, log: MemoryLog) -> None:
    stranger = make_log(2)
    assert witness.post(submission(stranger, 0).to_bytes())[0] == 403
    unknown = Submission(0, (), log.note().replace(ORIGIN, "elsewhere.example/log"))
    assert witness.post(unknown.to_bytes())[0] == 404
    assert witness.post(b"nonsense")[0] == 400
    assert witness.post(submission(log, 0).to_bytes(), "elsewhere")[0] == 404
    assert witness.get("anything")[0] == 404


def test_anybody_may_ask_for_the_last_state(witness: Witness, log: MemoryLog) -> None:
    path = f"{hashlib.sha256(ORIGIN.encode()).hexdigest()}/checkpoint"
    assert witness.get(path)[0] == 404
    witness.post(submission(log, 0).to_bytes())
    status, body, _ = witness.get(path)
    assert status == 200
    keys = (*(parse_vkey(signer.vkey) for signer in log.signers), *witness.keys)
    text, signatures = open_note(body.decode(), keys, exact=True)
    assert text == log.checkpoint.text
    assert len(signatures) == 4


def test_what_is_too_long_or_endless_is_cut_off(witness: Witness) -> None:
    address = urlsplit(witness.url)
    for headers, status in (({"Content-Length": "99999999"}, 413), ({"Transfer-Encoding": "chunked"}, 411)):
        connection = http.client.HTTPConnection(str(address.hostname), address.port, timeout=20)
        connection.putrequest("POST", "/add-checkpoint")
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_a_log_learnt_while_it_runs_is_known_at_once(witness: Witness) -> None:
    other = make_log(1)
    for signer in other.signers:
        object.__setattr__(signer.verifier, "name", "second.example/log")
    Memory(witness.directory).add_log(tuple(signer.vkey for signer in other.signers))
    assert "second.example/log" in Memory(witness.directory).logs()


def test_a_second_process_refuses_to_start(witness: Witness) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "witness", "serve", str(witness.directory), "--port", "0"],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 3
    assert "Another process works as the witness" in done.stderr


def test_many_at_once_get_one_history(witness: Witness, log: MemoryLog) -> None:
    """Two states race from the same old size: one is signed, the other hears the size (c2sp.org/tlog-witness, the race)."""
    first = submission(log, 0).to_bytes()
    grow(log)
    second = submission(log, 0).to_bytes()
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda body=body: answers.append(witness.post(body)[0])) for body in [first, second] * 8
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(200) == 1
    assert answers.count(409) == 15


def test_a_restarted_witness_remembers(log: MemoryLog, tmp_path: Path) -> None:
    prepare(tmp_path / "w", *(signer.vkey for signer in log.signers))
    with serving(tmp_path / "w") as running:
        running.post(submission(log, 0).to_bytes())
    with serving(tmp_path / "w") as running:
        assert read_size(running.post(submission(log, 0).to_bytes())[1]) == 5


@pytest.mark.parametrize("effect", range(1, 9))
def test_killed_at_any_write_it_never_signed_what_it_does_not_remember(
    effect: int, log: MemoryLog, tmp_path: Path
) -> None:
    """SIGKILL before the n-th of write, fsync, rename and the answer; afterwards it knows every state it gave a line for."""
    directory = tmp_path / "w"
    prepare(directory, *(signer.vkey for signer in log.signers))
    with serving(directory) as running:
        assert running.post(submission(log, 0).to_bytes())[0] == 200
    grow(log)
    answered = False
    with serving(directory, sys.executable, str(KILLED), str(effect)) as running:
        try:
            answered = running.post(submission(log, 5).to_bytes())[0] == 200
        except (OSError, http.client.HTTPException):
            assert running.process.wait(30) == -9
    with serving(directory) as running:
        status, body, _ = running.post(submission(log, 0).to_bytes())
        assert status == 409
        seen = read_size(body)
        assert seen in {5, 6}
        assert seen == 6 or not answered, "it signed a state and forgot it"
        assert running.post(submission(log, int(seen or 0)).to_bytes())[0] == 200


def test_the_last_effect_of_that_test_is_beyond_the_answer(log: MemoryLog, tmp_path: Path) -> None:
    """So that every effect was reached."""
    directory = tmp_path / "w"
    prepare(directory, *(signer.vkey for signer in log.signers))
    with serving(directory, sys.executable, str(KILLED), "8") as running:
        assert running.post(submission(log, 0).to_bytes())[0] == 200


@pytest.mark.parametrize("damage", [b"", b"{}", b"not json", b'{"v":1,"origin":"x","note":"y","time":0}'])
def test_a_memory_that_cannot_be_read_signs_nothing(damage: bytes, log: MemoryLog, tmp_path: Path) -> None:
    directory = tmp_path / "w"
    prepare(directory, *(signer.vkey for signer in log.signers))
    with serving(directory) as running:
        running.post(submission(log, 0).to_bytes())
        (file,) = (directory / "seen").iterdir()
        file.write_bytes(damage)
        assert running.post(submission(log, 5).to_bytes())[0] == 503
        assert running.post(submission(log, 0).to_bytes())[0] == 503


def test_a_memory_that_cannot_be_written_signs_nothing(log: MemoryLog, tmp_path: Path) -> None:
    directory = tmp_path / "w"
    prepare(directory, *(signer.vkey for signer in log.signers))
    with serving(directory) as running:
        (directory / "seen").rmdir()
        assert running.post(submission(log, 0).to_bytes())[0] == 503


def test_a_clock_that_went_back_signs_nothing(log: MemoryLog, tmp_path: Path) -> None:
    directory = tmp_path / "w"
    prepare(directory, *(signer.vkey for signer in log.signers))
    memory = Memory(directory)
    memory.cosign(submission(log, 0), memory.signers(), 2_000)
    with pytest.raises(WitnessError, match="clock"):
        memory.cosign(submission(log, 5), memory.signers(), 1_999)


def test_name_and_keys_are_made_once(tmp_path: Path) -> None:
    prepare(tmp_path / "w")
    with pytest.raises(WitnessError, match="already"):
        Memory.create(tmp_path / "w", NAME)
    with pytest.raises(WitnessError, match="name"):
        Memory.create(tmp_path / "other", "two words")


def test_others_may_not_enter(log: MemoryLog, tmp_path: Path) -> None:
    prepare(tmp_path / "w")
    (tmp_path / "w").chmod(0o755)
    with pytest.raises(WitnessError, match="alone"):
        Memory(tmp_path / "w").add_log(tuple(signer.vkey for signer in log.signers))


def test_only_one_logs_keys_at_a_time(log: MemoryLog, tmp_path: Path) -> None:
    keys = prepare(tmp_path / "w")
    with pytest.raises(WitnessError, match="one log"):
        Memory(tmp_path / "w").add_log((log.signers[0].vkey, keys[0].vkey))
