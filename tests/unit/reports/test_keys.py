"""Keys in files."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from reports.errors import MalformedDocument, UnsafeKeyFile
from reports.keys import (
    FileSigner,
    KeyKind,
    create_note_signer,
    fingerprint_words,
    is_low_s,
    key_id,
    load_note_signer,
    load_public_key,
    private_pem,
    write_private_file,
)
from reports.tlog import ML_DSA_44

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def test_a_key_names_itself() -> None:
    signer = FileSigner.generate()
    assert signer.key_id == key_id(signer.public_key_der) == hashlib.sha256(signer.public_key_der).hexdigest()
    assert load_public_key(signer.public_key_der).key_id == signer.key_id


def test_a_fingerprint_is_sixteen_groups_of_four() -> None:
    assert fingerprint_words("0123456789abcdef" * 4).split() == ["0123", "4567", "89ab", "cdef"] * 4


@pytest.mark.parametrize("kind", ["ed25519", "p256"])
def test_a_key_survives_its_file(tmp_path: Path, kind: KeyKind) -> None:
    path = tmp_path / "keys" / "agent.pem"
    made = FileSigner.create(path, kind)
    read = FileSigner.load(path)
    assert read.key_id == made.key_id
    assert made.verifying_key.verify(read.sign(b"text"), b"text")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["agent.pem"]
    assert FileSigner.load_or_create(path).key_id == made.key_id


def test_the_file_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        FileSigner.create(tmp_path / "k.pem")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "k.pem").stat().st_mode) == 0o600


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "k.pem"
    first = FileSigner.create(path)
    with pytest.raises(UnsafeKeyFile, match="already"):
        FileSigner.create(path)
    assert FileSigner.load(path).key_id == first.key_id
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o602])
def test_a_key_that_others_can_touch_is_not_used(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "k.pem"
    FileSigner.create(path)
    path.chmod(mode)
    with pytest.raises(UnsafeKeyFile, match="others"):
        FileSigner.load(path)


def test_a_link_is_no_key_file(tmp_path: Path) -> None:
    FileSigner.create(tmp_path / "k.pem")
    (tmp_path / "link.pem").symlink_to(tmp_path / "k.pem")
    with pytest.raises(OSError, match="levels of symbolic links"):
        FileSigner.load(tmp_path / "link.pem")


@pytest.mark.parametrize(
    "content", [b"", b"-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n", b"\0" * 100]
)
def test_garbage_is_no_key(tmp_path: Path, content: bytes) -> None:
    write_private_file(tmp_path / "k.pem", content)
    with pytest.raises(UnsafeKeyFile):
        FileSigner.load(tmp_path / "k.pem")


def test_other_algorithms_are_refused(tmp_path: Path) -> None:
    p384 = ec.generate_private_key(ec.SECP384R1())
    with pytest.raises(MalformedDocument):
        FileSigner(p384)
    create_note_signer(tmp_path / "log.pem", "log.example", ML_DSA_44)
    with pytest.raises(UnsafeKeyFile, match="neither"):
        FileSigner.load(tmp_path / "log.pem")
    write_private_file(tmp_path / "p256.pem", private_pem(FileSigner.generate("p256").private_key))
    with pytest.raises(UnsafeKeyFile, match="neither"):
        load_note_signer(tmp_path / "p256.pem", "log.example")


def _spki(key: object, form: serialization.PublicFormat = serialization.PublicFormat.SubjectPublicKeyInfo) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, form)  # type: ignore[attr-defined, no-any-return]


def test_only_ed25519_and_p256_public_keys_are_read() -> None:
    for key in (rsa.generate_private_key(65537, 2048), ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(MalformedDocument, match="neither"):
            load_public_key(_spki(key.public_key()))
    for data in (b"", b"\x30\x00", os.urandom(91)):
        with pytest.raises(MalformedDocument):
            load_public_key(data)


def test_a_public_key_has_one_encoding() -> None:
    public = ec.generate_private_key(ec.SECP256R1()).public_key()
    compressed = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    header = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    with pytest.raises(MalformedDocument):
        load_public_key(header + compressed)
    with pytest.raises(MalformedDocument):
        load_public_key(_spki(ed25519.Ed25519PrivateKey.generate().public_key()) + b"\0")


def test_ecdsa_signatures_are_deterministic_and_low_s() -> None:
    signer = FileSigner.generate("p256")
    for n in range(40):
        signature = signer.sign(b"%d" % n)
        assert signature == signer.sign(b"%d" % n)
        assert is_low_s(signature)
        r, s = decode_dss_signature(signature)
        twin = encode_dss_signature(r, ORDER - s)
        assert not is_low_s(twin)
        assert signer.verifying_key.verify(twin, b"%d" % n)  # browsers make either
    assert not is_low_s(b"junk")


def test_a_signature_of_another_message_or_key_is_refused() -> None:
    kinds: tuple[KeyKind, ...] = ("ed25519", "p256")
    for kind in kinds:
        one, two = FileSigner.generate(kind), FileSigner.generate(kind)
        signature = one.sign(b"text")
        assert not one.verifying_key.verify(signature, b"texu")
        assert not two.verifying_key.verify(signature, b"text")
        assert not one.verifying_key.verify(b"", b"text")


def test_a_foreign_ecdsa_signature_verifies() -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    signature = private.sign(b"text", ec.ECDSA(hashes.SHA256()))
    assert load_public_key(_spki(private.public_key())).verify(signature, b"text")


def test_log_keys_survive_their_files(tmp_path: Path) -> None:
    for name, algorithm in (("a.pem", 1), ("b.pem", ML_DSA_44)):
        made = create_note_signer(tmp_path / name, "log.example", algorithm)
        assert load_note_signer(tmp_path / name, "log.example").vkey == made.vkey
