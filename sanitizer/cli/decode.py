"""`sanitizer decode`: explain replies captured elsewhere, without a device."""

from __future__ import annotations

import errno
import os
import stat
import sys
from collections.abc import Callable
from typing import BinaryIO

import click

from sanitizer.errors import SanitizerError
from sanitizer.wire.errors import CaptureUnusable, MalformedReply
from sanitizer.wire.explain import (
    Answer,
    Explanation,
    NvmeForm,
    ScsiForm,
    explain_ata,
    explain_emmc,
    explain_nvme,
    explain_nvme_sanitize,
    explain_scsi,
    explain_sense,
)

from .exit_codes import ExitCode
from .output import as_json, complaint

LARGEST = 1 << 18
"""Bytes read of a capture: any reply fits four times over, also written in hexadecimal."""
_INDENT = 2


def _bounded(stream: BinaryIO, path: str) -> bytes:
    data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise CaptureUnusable(path=path, reason=f"it holds more than {LARGEST} bytes, and no reply is so long")
    if not data:
        raise CaptureUnusable(path=path, reason="it is empty")
    return data


def _refuse_unless_regular(mode: int, path: str) -> None:
    kinds = {stat.S_ISDIR: "it is a folder", stat.S_ISBLK: "it is a block device, not a file with captured bytes"}
    reason = next((text for is_kind, text in kinds.items() if is_kind(mode)), "it is no regular file")
    if not stat.S_ISREG(mode):
        raise CaptureUnusable(path=path, reason=reason)


def read_capture(path: str, *, hexadecimal: bool = False) -> bytes:
    """The bytes of a capture.

    Args:
        path: A regular file, or `-` for standard input. Device nodes and pipes are refused unopened.
        hexadecimal: The file holds the bytes in hexadecimal, two digits each; white space and `0x` are passed over.

    Raises:
        CaptureUnusable: missing, unreadable, empty, larger than `LARGEST`, no regular file, or no hexadecimal.
    """
    try:
        if path == "-":
            data = _bounded(sys.stdin.buffer, path)
        else:
            _refuse_unless_regular(os.stat(path).st_mode, path)  # noqa: PTH116 - a path may be no text Path could hold
            with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
                _refuse_unless_regular(os.fstat(stream.fileno()).st_mode, path)
                data = _bounded(stream, path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        known = {errno.ENOENT: "there is no such file", errno.EACCES: "it may not be read"}
        reason = known.get(getattr(error, "errno", None) or 0, str(getattr(error, "strerror", None) or error))
        raise CaptureUnusable(path=path, reason=reason) from error
    return _from_hexadecimal(data, path) if hexadecimal else data


def _from_hexadecimal(data: bytes, path: str) -> bytes:
    digits = "".join(part.removeprefix("0x") for part in data.decode("ascii", "replace").replace(",", " ").split())
    try:
        found = bytes.fromhex(digits)
    except ValueError as error:
        raise CaptureUnusable(path=path, reason="it does not hold pairs of hexadecimal digits only") from error
    if not found:
        raise CaptureUnusable(path=path, reason="it is empty")
    return found


def _tell(explanation: Explanation) -> None:
    click.echo(explanation.title)
    width = max(len(label) for group in explanation.groups for label, _ in group.rows) + 1
    for group in explanation.groups:
        click.echo(f"\n{group.title}")
        for label, value in group.rows:
            click.echo(" " * _INDENT + (f"{label + ':':<{width}}  {value}" if value else label))
    if explanation.attention:
        click.echo("\nAttention")
        for sentence in explanation.attention:
            click.echo(f"{' ' * _INDENT}- {sentence}")


def _explain(path: str, explain: Callable[[bytes], Explanation], *, hexadecimal: bool, json_output: bool) -> None:
    """Read, explain, print; what cannot be read or is malformed ends with exit status 2."""
    try:
        explanation = explain(read_capture(path, hexadecimal=hexadecimal))
    except (CaptureUnusable, MalformedReply) as error:
        _complain(error, json_output=json_output)
        sys.exit(ExitCode.USAGE)
    if json_output:
        as_json(explanation.keys)
    else:
        _tell(explanation)


def _complain(error: SanitizerError, *, json_output: bool) -> None:
    if json_output:
        as_json({"error": complaint(error)})
    else:  # no word of a medium, as elsewhere: there is none
        click.echo(f"sanitizer: {error.summarize()}. {error.remedy} [{error.code}]", err=True)


def _capture(command: Callable[..., None]) -> Callable[..., None]:
    """FILE, `--hex` and `--json`, which every kind of reply has."""
    command = click.option("--json", "json_output", is_flag=True, help="Print one JSON object instead of text.")(
        command
    )
    command = click.option(
        "--hex", "hexadecimal", is_flag=True, help="FILE holds the bytes in hexadecimal instead of as they are."
    )(command)
    return click.argument("file", metavar="FILE")(command)


@click.group("decode")
def decode_command() -> None:
    """Explain a reply of a device that was captured into a file; no device is opened.

    FILE holds the bytes of one reply and nothing else; `-` is standard input. What the reply does not say is
    "unknown", in JSON null. Exit status 2 when the file cannot be read or is not such a reply.
    """


@decode_command.command("ata")
@_capture
def _ata(file: str, *, hexadecimal: bool, json_output: bool) -> None:
    """ATA: IDENTIFY DEVICE, 512 bytes."""
    _explain(file, explain_ata, hexadecimal=hexadecimal, json_output=json_output)


@decode_command.command("nvme")
@click.option(
    "--form",
    type=click.Choice([form.value for form in NvmeForm]),
    default=NvmeForm.AUTO.value,
    show_default=True,
    help="Which of the two replies it is.",
)
@_capture
def _nvme(file: str, *, form: str, hexadecimal: bool, json_output: bool) -> None:
    """NVMe: Identify Controller or Namespace, 4096 bytes."""
    chosen = NvmeForm(form)
    _explain(file, lambda data: explain_nvme(data, chosen), hexadecimal=hexadecimal, json_output=json_output)


@decode_command.command("nvme-sanitize")
@_capture
def _nvme_sanitize(file: str, *, hexadecimal: bool, json_output: bool) -> None:
    """NVMe: Sanitize Status log (81h), 512 bytes."""
    _explain(file, explain_nvme_sanitize, hexadecimal=hexadecimal, json_output=json_output)


@decode_command.command("scsi")
@click.option(
    "--form",
    type=click.Choice([form.value for form in ScsiForm]),
    default=ScsiForm.AUTO.value,
    show_default=True,
    help="Which reply it is; opcode and opcodes (REPORT SUPPORTED OPERATION CODES) cannot be told from the bytes.",
)
@_capture
def _scsi(file: str, *, form: str, hexadecimal: bool, json_output: bool) -> None:
    """SCSI: INQUIRY, a VPD page, or supported commands.

    VPD pages 00, 80, 83, b1 and b2; REPORT SUPPORTED OPERATION CODES for one command or all.
    """
    chosen = ScsiForm(form)
    _explain(file, lambda data: explain_scsi(data, chosen), hexadecimal=hexadecimal, json_output=json_output)


@decode_command.command("sense")
@click.option(
    "--answers",
    type=click.Choice([answer.value for answer in Answer]),
    default=Answer.OTHER.value,
    show_default=True,
    help="The command it came back for: ATA registers in fixed format can be told by that only.",
)
@_capture
def _sense(file: str, *, answers: str, hexadecimal: bool, json_output: bool) -> None:
    """SCSI: sense data, with the ATA registers it carries."""
    chosen = Answer(answers)
    _explain(file, lambda data: explain_sense(data, chosen), hexadecimal=hexadecimal, json_output=json_output)


@decode_command.command("emmc")
@_capture
def _emmc(file: str, *, hexadecimal: bool, json_output: bool) -> None:
    """eMMC: EXT_CSD, 512 bytes."""
    _explain(file, explain_emmc, hexadecimal=hexadecimal, json_output=json_output)
