"""How a drive is by its own account: one look, taken before and after a run. Decides nothing, and stops no run.

Only questions without side effects are asked, and only of a drive that says it keeps an answer: SMART is not switched
on where it is off, and no test is started. A SCSI disk behind a USB bridge is asked nothing: some hang on log pages.
What was answered is kept byte by byte.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

from .capability import Capabilities
from .errors import SanitizerError
from .inspection import Inspection
from .probing import EXT_CSD, Questions, Reply
from .run import HealthAnswer, HealthReading
from .standings import QUICK_MS
from .transport.base import OpenDevice
from .transport.commands import MmcPort, NvmePort, Ports, ScsiPort
from .wire import ata_commands, health, mmc_commands, nvme_commands, scsi_commands
from .wire.ata_words import Words
from .wire.errors import MalformedReply
from .wire.pass_through import decode_pass_through_answer

Moment = Literal["before", "after"]
_Value = TypeVar("_Value")

SMART_DATA, SMART_STATUS, HEALTH_LOG, DEFECTS = "smart-data", "smart-status", "health-log", "grown-defects"
LOG_DIRECTORY, STATISTICS, WEAR = "log-directory", "device-statistics", "device-statistics-07"
_KEEPS_LOGS = 0x20
"""Word 84: general purpose logging."""
_ERROR_PAGES = (0x02, 0x03, 0x05)
"""Error counters of writing, reading, verifying (SPC-5)."""
_TEMPERATURE, _LIFE, _HOURS, _EXCEPTIONS = 0x0D, 0x11, 0x15, 0x2F
_MOST_KEPT = 512
"""Bytes of one answer that are kept; a list of log parameters may be longer than anybody needs."""


def page_key(page: int) -> str:
    """Name of the answer to LOG SENSE for one page."""
    return f"log-page-{page:02x}"


def read_health(
    ports: Ports, capabilities: Capabilities | None, transport: str, moment: Moment, taken: str
) -> HealthReading | None:
    """Ask a drive how it is.

    Args:
        ports: Of the open device.
        capabilities: As the device was inspected; without them nothing is known of it, and nothing is asked.
        transport: As the inspection has it.
        moment: Before the first write of a run, or after its last read.
        taken: When, RFC 3339 UTC.

    Returns:
        None where there is no drive that could be asked (a loop device, a medium of a hypervisor). Never raises for what the
        drive does: a drive that does not answer is a reading with a problem.
    """
    asks = _questions(ports, capabilities, transport) if capabilities is not None else None
    return None if asks is None else _guarded(*asks, moment, taken)


_Ask = Callable[[Questions], dict[str, Any]]


def _questions(ports: Ports, capabilities: Capabilities, transport: str) -> tuple[str, _Ask] | None:
    """Where this drive keeps its health, and how it is asked for it."""
    nvme, mmc, scsi, ata = ports.nvme, ports.mmc, ports.scsi, capabilities.ata
    if capabilities.nvme is not None and nvme is not None:
        return "nvme-log", lambda asked: _nvme(asked, nvme)
    if capabilities.mmc is not None and mmc is not None:
        return "mmc-ext-csd", lambda asked: _mmc(asked, mmc)
    if ata is not None and scsi is not None:
        # Some USB bridges hang on logs.
        return "ata-smart", lambda asked: _ata(asked, scsi, ata.identify, logs=transport != "usb")
    if capabilities.scsi is not None and scsi is not None and transport != "usb":
        return "scsi-logs", lambda asked: _scsi(asked, scsi)
    return None


def look(device: OpenDevice, seen: Inspection, moment: Moment, taken: str) -> HealthReading | None:
    """As `read_health`, on the descriptor that a run holds open; None, too, where the device is gone by now."""
    try:
        ports = device.ports()
    except SanitizerError:
        return None
    return read_health(ports, seen.capabilities, seen.transport, moment, taken)


def _guarded(source: str, ask: _Ask, moment: Moment, taken: str) -> HealthReading:
    asked = Questions()
    told: dict[str, Any] = {}
    problem: str | None = None
    try:
        told = ask(asked)
    except (SanitizerError, MalformedReply) as error:
        problem = error.summarize()
    answers = tuple(
        HealthAnswer(question=key, answer=(reply.data or reply.evidence)[:_MOST_KEPT].hex())
        for key, reply in asked.replies.items()
        if reply.accepted
    )
    reasons = [problem, told.pop("problem", None), *(reply.reason for reply in asked.replies.values())]
    known = {name: value for name, value in told.items() if value is not None}
    return HealthReading(
        moment=moment,
        taken=taken,
        source=source,
        problem=None if known and not problem else next((why for why in reasons if why), None),
        answers=answers,
        **{**_NOTHING, **known},
    )


_NOTHING: dict[str, Any] = {
    "prediction": "unknown",
    "temperature": None,
    "power_on_hours": None,
    "reallocated": None,
    "pending": None,
    "uncorrectable": None,
    "used_percent": None,
    "spare_percent": None,
}


def _decoded(reply: Reply, decode: Callable[[bytes], _Value]) -> _Value | None:
    """What an answer says; nothing where it did not come, or is not what it should be."""
    if not reply.accepted:
        return None
    try:
        return decode(reply.data)
    except MalformedReply:
        return None


def _ata(asked: Questions, port: ScsiPort, identify: bytes, *, logs: bool) -> dict[str, Any]:
    words = Words(identify)
    supported, enabled = words.supported(82), words.enabled(85)
    if not (supported or 0) & 1:
        return {"problem": "The drive does not say that it keeps SMART data."}
    if not (enabled or 0) & 1:
        return {"problem": "SMART is switched off in the drive, and is left so."}
    status = asked.ata(SMART_STATUS, port, ata_commands.smart_return_status())
    data = _decoded(asked.ata(SMART_DATA, port, ata_commands.smart_read_data()), health.decode_smart_data)
    registers = _decoded(Reply(accepted=status.accepted, data=status.evidence), decode_pass_through_answer)
    prediction = health.smart_prediction(registers)
    told: dict[str, Any] = {"prediction": None if prediction == "unknown" else prediction}
    if data is not None:
        told |= {
            "temperature": data.temperature,
            "power_on_hours": data.power_on_hours,
            "reallocated": data.reallocated,
            "pending": data.pending,
            "uncorrectable": data.uncorrectable,
        }
    elif SMART_DATA in asked.replies and asked.replies[SMART_DATA].accepted:
        told["problem"] = "The SMART data are not whole."
    if logs and (words.supported(84) or 0) & _KEEPS_LOGS:
        told["used_percent"] = _ata_wear(asked, port)
    return told


def _ata_wear(asked: Questions, port: ScsiPort) -> int | None:
    """How worn a solid state drive says it is; asked step by step, and of a page that is there alone."""
    log, page = health.DEVICE_STATISTICS, health.WEAR_PAGE
    directory = asked.ata(LOG_DIRECTORY, port, ata_commands.read_log_ext(0))
    if not _decoded(directory, lambda data: health.pages_of_log(data, log)):
        return None
    listed = _decoded(asked.ata(STATISTICS, port, ata_commands.read_log_ext(log)), health.statistics_pages)
    if page not in (listed or ()):
        return None
    return _decoded(asked.ata(WEAR, port, ata_commands.read_log_ext(log, page)), health.ata_used_percent)


def _nvme(asked: Questions, port: NvmePort) -> dict[str, Any]:
    log = _decoded(asked.nvme(HEALTH_LOG, port, nvme_commands.health()), health.decode_nvme_health)
    if log is None:
        return {}
    return {
        "prediction": log.prediction,
        "temperature": log.temperature,
        "power_on_hours": _countable(log.power_on_hours),
        "uncorrectable": _countable(log.media_errors),
        "used_percent": log.used_percent,
        "spare_percent": log.spare_percent,
    }


def _countable(value: int) -> int | None:
    """A counter of sixteen bytes, where a document can hold it."""
    return value if value < 1 << 53 else None


def _scsi(asked: Questions, port: ScsiPort) -> dict[str, Any]:
    listed = _decoded(asked.scsi(page_key(0), port, scsi_commands.log_sense(0)), health.decode_log_pages) or ()

    def page(number: int) -> health.LogPage | None:
        if number not in listed:
            return None
        reply = asked.scsi(page_key(number), port, scsi_commands.log_sense(number))
        return _decoded(reply, lambda data: health.decode_log_page(data, number))

    def read(number: int, of: Callable[[health.LogPage], _Value]) -> _Value | None:
        found = page(number)
        return None if found is None else of(found)

    errors = tuple(found for found in map(page, _ERROR_PAGES) if found is not None)
    prediction = read(_EXCEPTIONS, health.log_prediction)
    grown = asked.scsi(DEFECTS, port, scsi_commands.read_grown_defects())
    return {
        "prediction": None if prediction == "unknown" else prediction,
        "temperature": read(_TEMPERATURE, health.log_temperature),
        "power_on_hours": read(_HOURS, health.log_power_on_hours),
        "reallocated": _decoded(grown, health.decode_grown_defects),
        "uncorrectable": health.log_uncorrected(errors),
        "used_percent": read(_LIFE, health.log_used_percent),
    }


def _mmc(asked: Questions, port: MmcPort) -> dict[str, Any]:
    def ask() -> Reply:
        (answer,) = port.mmc((mmc_commands.read_ext_csd(),), timeout_ms=QUICK_MS)
        return Reply(accepted=True, data=answer.data)

    found = _decoded(asked.ask(EXT_CSD, ask), health.decode_mmc_health)
    if found is None:
        return {}
    return {
        "prediction": None if found.prediction == "unknown" else found.prediction,
        "used_percent": found.used_percent,
    }
