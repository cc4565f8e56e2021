"""What a witness decides, by the words of c2sp.org/tlog-witness, and what a log takes from it."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.errors import BadSignature, MalformedDocument, ReportError, UnknownKey
from reports.tlog import ED25519_COSIGNATURE, ML_DSA_44, Checkpoint, NoteSigner, parse_vkey, sign_note
from reports.tlog.witnessing import NOTHING, Seen, Submission, SubmissionRefused, judge, read_cosignatures, read_size
from tests.support.evidence import ORIGIN, TIME
from tests.support.witnesses import NAME, make_log, submission

LOG = make_log(7)
KEYS = tuple(parse_vkey(signer.vkey) for signer in LOG.signers)
AT_7 = Seen(7, LOG.checkpoint.root)
AT_3 = Seen(3, make_log(3).checkpoint.root)
WITNESS = (NoteSigner.generate(NAME, ED25519_COSIGNATURE), NoteSigner.generate(NAME, ML_DSA_44))
WITNESS_KEYS = tuple(parse_vkey(signer.vkey) for signer in WITNESS)
NOTE = LOG.note()
TEXT = LOG.checkpoint.text


def refused(sent: Submission, seen: Seen = NOTHING, keys: tuple[object, ...] = KEYS) -> SubmissionRefused:
    with pytest.raises(SubmissionRefused) as caught:
        judge(sent, keys, seen)  # type: ignore[arg-type]
    return caught.value


@pytest.mark.parametrize("seen", [NOTHING, AT_3, AT_7])
def test_a_checkpoint_that_extends_what_was_seen_is_cosigned(seen: Seen) -> None:
    assert judge(submission(LOG, seen.size), KEYS, seen) == LOG.checkpoint


def test_what_was_sent_is_read_back_as_it_was() -> None:
    sent = submission(LOG, 3)
    assert Submission.parse(sent.to_bytes()) == sent


def test_an_unknown_log_is_404() -> None:
    assert refused(submission(LOG, 0), keys=()).status == 404


def test_a_checkpoint_no_known_key_signed_is_403() -> None:
    others = tuple(parse_vkey(signer.vkey) for signer in make_log(1).signers)
    assert refused(submission(LOG, 0), keys=others).status == 403


def test_a_line_of_a_known_key_that_does_not_fit_is_403() -> None:
    sent = submission(LOG, 0)
    forged = dataclasses.replace(sent, note=sent.note.replace("\n7\n", "\n8\n"))
    assert refused(forged).status == 403


def test_an_old_size_beyond_the_checkpoint_is_400() -> None:
    assert refused(Submission(8, (), NOTE)).status == 400


@pytest.mark.parametrize("old", [0, 2, 7])
def test_another_old_size_than_was_seen_is_409_and_tells_it(old: int) -> None:
    answer = refused(Submission(old, (), NOTE), AT_3)
    assert (answer.status, answer.size) == (409, 3)


def test_another_history_is_422() -> None:
    other = make_log(0)
    other.signers = LOG.signers
    for number in range(7):
        other.append_entry(b"another %d" % number)
    assert refused(submission(other, 3), AT_3).status == 422
    assert refused(Submission(7, (), other.note()), AT_7).status == 422


@pytest.mark.parametrize(("old", "seen"), [(0, NOTHING), (7, AT_7)])
def test_a_proof_where_none_is_needed_is_422(old: int, seen: Seen) -> None:
    assert refused(Submission(old, (b"x" * 32,), NOTE), seen).status == 422


def test_an_empty_log_with_the_root_of_another_is_422() -> None:
    note = sign_note(Checkpoint(ORIGIN, 0, b"x" * 32).text, LOG.signers, TIME)
    assert refused(Submission(0, (), note)).status == 422


def test_a_checkpoint_with_lines_nobody_here_understands_is_400() -> None:
    assert refused(Submission(0, (), sign_note(TEXT + "extension\n", LOG.signers, TIME))).status == 400


def test_a_log_cannot_speak_in_the_name_of_another() -> None:
    sent = submission(LOG, 0)
    assert refused(dataclasses.replace(sent, note=sent.note.replace(ORIGIN, "other.example/log", 1))).status == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"old 0",
        b"old 0\n\n",
        b"old 00\n\nx",
        b"old -1\n\nx",
        b"new 0\n\nx",
        b"old 0\nnot base64\n\nx",
        b"old 0\n" + b"AAAA\n" * 64 + b"\nx",
        b"old 0\n\n\xff",
        b"old 99999999999999999999\n\nx",
        b"x" * 500_000,
    ],
)
def test_what_is_no_submission_is_malformed(body: bytes) -> None:
    try:
        sent = Submission.parse(body)
    except MalformedDocument:
        return
    assert refused(sent).status in {400, 403}


@given(st.binary(max_size=300))
def test_no_body_makes_a_witness_stumble(body: bytes) -> None:
    try:
        judge(Submission.parse(body), KEYS, NOTHING)
    except (MalformedDocument, SubmissionRefused):
        return
    raise AssertionError("random bytes were cosigned")


def lines(*signers: NoteSigner, text: str = TEXT, time: int = TIME) -> bytes:
    return "".join(signer.line(text, time) for signer in signers).encode()


def test_both_kinds_of_cosignature_are_taken_with_their_time() -> None:
    answer = lines(*WITNESS)
    found = read_cosignatures(answer, NOTE, WITNESS_KEYS)
    assert [signature.key for _, signature in found] == list(WITNESS_KEYS)
    assert {signature.time for _, signature in found} == {TIME}
    assert "".join(line for line, _ in found).encode() == answer


def test_lines_of_strangers_are_left_out() -> None:
    stranger = NoteSigner.generate("stranger.example", ED25519_COSIGNATURE)
    found = read_cosignatures(lines(stranger, WITNESS[1], stranger), NOTE, WITNESS_KEYS)
    assert [signature.key for _, signature in found] == [WITNESS_KEYS[1]]
    with pytest.raises(UnknownKey):
        read_cosignatures(lines(stranger), NOTE, WITNESS_KEYS)


def test_a_cosignature_of_another_checkpoint_is_none() -> None:
    other = Checkpoint(ORIGIN, 8, b"x" * 32).text
    for signer in WITNESS:
        with pytest.raises(BadSignature):
            read_cosignatures(lines(signer, text=other), NOTE, WITNESS_KEYS)


def test_a_cosignature_without_a_time_is_none() -> None:
    with pytest.raises(MalformedDocument):
        read_cosignatures(lines(WITNESS[0], time=0), NOTE, WITNESS_KEYS)


def test_the_same_key_twice_is_refused() -> None:
    with pytest.raises(MalformedDocument):
        read_cosignatures(lines(WITNESS[0]) * 2, NOTE, WITNESS_KEYS)


@given(st.binary(max_size=200))
def test_no_answer_makes_the_log_stumble_or_believe(body: bytes) -> None:
    with pytest.raises(ReportError):
        read_cosignatures(body, NOTE, WITNESS_KEYS)
    with pytest.raises(ReportError):
        read_cosignatures(f"\u2014 {NAME} ".encode() + body + b"\n", NOTE, WITNESS_KEYS)


@pytest.mark.parametrize(("body", "size"), [(b"0\n", 0), (b"17\n", 17), (b"17", None), (b"017\n", None), (b"", None)])
def test_a_size_is_read_strictly(body: bytes, size: int | None) -> None:
    assert read_size(body) == size
