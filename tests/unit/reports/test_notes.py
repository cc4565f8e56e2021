"""Signed notes and checkpoints (C2SP)."""

from __future__ import annotations

import base64
import hashlib
import struct

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519

from reports.errors import BadSignature, MalformedDocument, UnknownKey
from reports.tlog import (
    ED25519,
    ED25519_COSIGNATURE,
    ML_DSA_44,
    Checkpoint,
    NoteSigner,
    open_checkpoint,
    open_note,
    parse_vkey,
    sign_checkpoint,
    sign_note,
)

NAME = "records.example.org/log"
TIME = 1_795_354_800
ED, PQ = NoteSigner.generate(NAME), NoteSigner.generate(NAME, ML_DSA_44)
WITNESS = NoteSigner.generate("witness.example/1", ED25519_COSIGNATURE)
KEYS = [ED.verifier, PQ.verifier]
CHECKPOINT = Checkpoint(NAME, 70_000, bytes(range(32)))
NOTE = sign_checkpoint(CHECKPOINT, [ED, PQ], TIME)


def test_the_published_example_of_signed_note_verifies() -> None:
    # c2sp.org/signed-note (from golang.org/x/mod/sumdb/note)
    vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
        "\n"
        "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )
    text, signatures = open_note(note, [parse_vkey(vkey)])
    assert text.startswith("If you think")
    assert signatures[0].key.name == "PeterNeumann"
    with pytest.raises(BadSignature):
        open_note(note.replace("answer", "Answer"), [parse_vkey(vkey)])


def test_a_checkpoint_is_three_lines_signed_by_every_key_of_the_log() -> None:
    assert open_checkpoint(NOTE, KEYS, exact=True) == CHECKPOINT
    assert NOTE.startswith(f"{NAME}\n70000\n{base64.b64encode(bytes(range(32))).decode()}\n\n\u2014 {NAME} ")


def test_the_ed25519_line_covers_the_plain_text() -> None:
    raw = base64.b64decode(NOTE.split("\n")[4].split(" ")[2])
    assert raw[:4] == hashlib.sha256(f"{NAME}\n".encode() + b"\x01" + ED.verifier.public).digest()[:4]
    ed25519.Ed25519PublicKey.from_public_bytes(ED.verifier.public).verify(raw[4:], CHECKPOINT.text.encode())


def test_every_key_of_the_log_must_sign() -> None:
    for signers in ([ED], [PQ]):
        with pytest.raises(UnknownKey, match="lacks"):
            open_checkpoint(sign_checkpoint(CHECKPOINT, signers, TIME), KEYS)
    with pytest.raises(UnknownKey):
        open_checkpoint(NOTE, [])


def test_witnesses_are_left_out_of_account_or_refused() -> None:
    note = NOTE + WITNESS.line(CHECKPOINT.text, TIME)
    assert open_checkpoint(note, KEYS) == CHECKPOINT
    with pytest.raises(UnknownKey, match="exactly"):
        open_checkpoint(note, KEYS, exact=True)
    _, signatures = open_note(note, [WITNESS.verifier])
    assert signatures[0].time == TIME


def test_the_order_of_lines_is_part_of_an_exact_checkpoint() -> None:
    with pytest.raises(UnknownKey, match="exactly"):
        open_checkpoint(sign_checkpoint(CHECKPOINT, [PQ, ED], TIME), KEYS, exact=True)


def test_the_checkpoint_of_another_log_is_refused() -> None:
    other = Checkpoint("other.example/log", 5, bytes(32))
    with pytest.raises(UnknownKey, match="another log"):
        open_checkpoint(sign_checkpoint(other, [ED, PQ], TIME), KEYS)


@pytest.mark.parametrize("index", range(len(CHECKPOINT.text)))
def test_any_altered_character_of_the_text_fails(index: int) -> None:
    altered = NOTE[:index] + chr(ord(NOTE[index]) ^ 1) + NOTE[index + 1 :]
    with pytest.raises((BadSignature, MalformedDocument, UnknownKey)):
        open_checkpoint(altered, KEYS, exact=True)


@pytest.mark.parametrize("signer", [ED, PQ], ids=["ed25519", "ml-dsa-44"])
def test_any_altered_byte_of_a_signature_fails(signer: NoteSigner) -> None:
    line = signer.line(CHECKPOINT.text, TIME)
    raw = base64.b64decode(line.split(" ")[2])
    step = 1 if len(raw) < 100 else 37
    for index in range(4, len(raw), step):
        altered = raw[:index] + bytes([raw[index] ^ 1]) + raw[index + 1 :]
        text = f"{CHECKPOINT.text}\n\u2014 {NAME} {base64.b64encode(altered).decode()}\n"
        with pytest.raises(BadSignature):
            open_note(text, [signer.verifier])


def test_the_time_of_a_cosignature_is_signed() -> None:
    for signer in (PQ, WITNESS):
        raw = base64.b64decode(signer.line(CHECKPOINT.text, TIME).split(" ")[2])
        later = raw[:4] + struct.pack(">Q", TIME + 1) + raw[12:]
        text = f"{CHECKPOINT.text}\n\u2014 {signer.verifier.name} {base64.b64encode(later).decode()}\n"
        with pytest.raises(BadSignature):
            open_note(text, [signer.verifier])


@pytest.mark.parametrize(
    "note",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        NOTE.rstrip("\n"),
        NOTE + "\n",
        NOTE.replace("\u2014", "-"),
        NOTE.replace("70000", "70000\r"),
        NOTE + NOTE.splitlines()[4] + "\n",
        "\n\n" + "\u2014 a AAAAAAAA\n" * 100,
        CHECKPOINT.text + "\n\u2014 a AAAA\n",
        "x" * 300_000 + "\n\n\u2014 a AAAAAAAA\n",
    ],
    ids=range(12),
)
def test_whatever_is_no_note_is_refused(note: str) -> None:
    with pytest.raises((MalformedDocument, UnknownKey)):
        open_checkpoint(note, KEYS)


@pytest.mark.parametrize(
    "text",
    [
        "a\n1\n",
        "a\n01\nAAAA\n",
        "a\n-1\nAAAA\n",
        "\n1\nAAAA\n",
        "a\n1\nAAAA\n",
        "a\n1\n" + "A" * 43 + "=\nmore\n",
        "a\n1",
    ],
)
def test_whatever_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(MalformedDocument):
        Checkpoint.parse(text)


def test_a_cosignature_is_made_over_checkpoints_only() -> None:
    with pytest.raises(ValueError, match="checkpoint"):
        PQ.line("just a text\n", TIME)


@pytest.mark.parametrize("size", ["0x10", "", "9" * 17])
def test_a_cosignature_never_covers_a_size_that_is_none(size: str) -> None:
    line = PQ.line(CHECKPOINT.text, TIME)
    with pytest.raises((BadSignature, MalformedDocument)):
        open_checkpoint(f"{NAME}\n{size}\n{base64.b64encode(bytes(32)).decode()}\n\n{line}", [PQ.verifier])


@pytest.mark.parametrize("signer", [ED, PQ, WITNESS])
def test_verifier_keys_read_back(signer: NoteSigner) -> None:
    assert parse_vkey(signer.vkey) == signer.verifier


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "a+b",
        ED.vkey.replace("records", "Records"),
        ED.vkey + "A",
        ED.vkey[:-4],
        f"{NAME}+00000000+{ED.vkey.split('+', 2)[2]}",
        f"{NAME}+abcdef01+{base64.b64encode(bytes([9]) + bytes(32)).decode()}",
        " " + ED.vkey,
    ],
    ids=range(8),
)
def test_whatever_is_no_verifier_key_is_refused(vkey: str) -> None:
    with pytest.raises(MalformedDocument):
        parse_vkey(vkey)


def test_a_key_signs_by_its_own_algorithm_only() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        NoteSigner(NAME, ED25519, PQ.private_key)
    with pytest.raises(ValueError, match="does not fit"):
        NoteSigner(NAME, ML_DSA_44, ED.private_key)
    with pytest.raises(ValueError, match="name"):
        NoteSigner("two words", ED25519, ED.private_key)
    with pytest.raises(ValueError, match="newline"):
        sign_note("no end", [ED], TIME)
