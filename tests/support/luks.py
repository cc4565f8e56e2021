"""LUKS containers made by cryptsetup, and ciphertext put into them without the kernel: AES-XTS by another implementation."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from tests.support.loopdev import Loop, attach

PASSPHRASE = b"correct horse battery staple"
FAST = ("--pbkdf", "pbkdf2", "--pbkdf-force-iterations", "1000")
"""The strength of a passphrase is nothing these tests are about."""
SECTOR = 512
PLAINTEXT = b"the plans for the next quarter, not to be told to anybody. "


AREA = 4 << 20
"""Where the data of `container_device` begins."""
STORED = 4 << 20


def whole(text: bytes, size: int) -> bytes:
    """The text again and again, in this many bytes."""
    return (text * (size // len(text) + 1))[:size]


def cryptsetup(*arguments: str, secret: bytes = PASSPHRASE, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """Run the tool; passphrases by standard input."""
    return subprocess.run(["cryptsetup", "-q", *arguments], input=secret, capture_output=True, check=check)


def make_container(path: Path, size: int, *options: str) -> Path:
    """A file with a LUKS header at its beginning, nothing written to its data area yet."""
    with path.open("wb") as file:
        file.truncate(size)
    cryptsetup("luksFormat", "--type", "luks2", *FAST, "--key-file", "-", *options, str(path))
    return path


def volume_key(path: Path, secret: bytes = PASSPHRASE) -> bytes:
    """The volume key, by cryptsetup and a passphrase."""
    out = path.with_suffix(".key")
    out.unlink(missing_ok=True)
    arguments = ("--dump-volume-key", "--volume-key-file", str(out), "--key-file", "-", str(path))
    cryptsetup("luksDump", *arguments, secret=secret)
    try:
        return out.read_bytes()
    finally:
        out.unlink()


def encrypted(key: bytes, plaintext: bytes, first_sector: int = 0) -> bytes:
    """AES-XTS with the sector's number as tweak (plain64), as dm-crypt does it."""
    done = bytearray()
    for number, at in enumerate(range(0, len(plaintext), SECTOR), start=first_sector):
        cipher = Cipher(algorithms.AES(key), modes.XTS(number.to_bytes(16, "little")))
        done += cipher.encryptor().update(plaintext[at : at + SECTOR])
    return bytes(done)


def decrypted(key: bytes, ciphertext: bytes, first_sector: int = 0) -> bytes:
    """The reverse."""
    done = bytearray()
    for number, at in enumerate(range(0, len(ciphertext), SECTOR), start=first_sector):
        cipher = Cipher(algorithms.AES(key), modes.XTS(number.to_bytes(16, "little")))
        done += cipher.decryptor().update(ciphertext[at : at + SECTOR])
    return bytes(done)


def store(path: Path, plaintext: bytes, *, offset: int, at: int = 0) -> None:
    """Put a plaintext into a container, encrypted; `offset` is where its data begins, `at` a place inside."""
    key = volume_key(path)
    with path.open("r+b") as file:
        file.seek(offset + at)
        file.write(encrypted(key, plaintext, at // SECTOR))


def opens(path: Path | str, secret: bytes = PASSPHRASE) -> bool:
    """Whether cryptsetup can still get at the volume key with the passphrase."""
    arguments = ("open", "--test-passphrase", "--type", "luks", "--key-file", "-", str(path))
    return cryptsetup(*arguments, secret=secret, check=False).returncode == 0


@contextmanager
def container_device(folder: Path, size: int = 24 << 20, *options: str, name: str = "luks.img") -> Iterator[Loop]:
    """A loop device that is a container, with `STORED` bytes of a plaintext in it."""
    path = make_container(folder / name, size, "--offset", str(AREA // SECTOR), *options)
    store(path, whole(PLAINTEXT, STORED), offset=AREA)
    loop = attach(path)
    try:
        yield loop
    finally:
        loop.detach()
