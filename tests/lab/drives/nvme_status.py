"""NVMe status values as a completion carries them without the phase bit: code 7:0, type 10:8, more 2000h, do not retry 4000h.

Names and numbers are those of NVM Express Base 2.1, Status Field definition.
"""

from __future__ import annotations

from enum import IntEnum

DO_NOT_RETRY = 0x4000
HELD = -1
"""No completion now: an Asynchronous Event Request stays outstanding until `NvmeController.take_event` has something."""


class Status(IntEnum):
    """Type (bits 10:8) and code (bits 7:0)."""

    SUCCESS = 0x000
    INVALID_OPCODE = 0x001
    INVALID_FIELD = 0x002
    INTERNAL_ERROR = 0x006
    INVALID_NAMESPACE = 0x00B
    SEQUENCE_ERROR = 0x00C
    SANITIZE_FAILED = 0x01C
    SANITIZE_IN_PROGRESS = 0x01D
    WRITE_PROTECTED = 0x020
    LBA_OUT_OF_RANGE = 0x080
    CAPACITY_EXCEEDED = 0x081
    FORMAT_IN_PROGRESS = 0x084
    TOO_MANY_EVENT_REQUESTS = 0x105
    INVALID_LOG_PAGE = 0x109
    INVALID_FORMAT = 0x10A
    ACTIVATION_NEEDS_CONVENTIONAL_RESET = 0x10B
    FEATURE_NOT_SAVEABLE = 0x10D
    FEATURE_NOT_CHANGEABLE = 0x10E
    ACTIVATION_NEEDS_SUBSYSTEM_RESET = 0x110
    ACTIVATION_NEEDS_CONTROLLER_RESET = 0x111
    INSUFFICIENT_CAPACITY = 0x115
    IDENTIFIER_UNAVAILABLE = 0x116
    ALREADY_ATTACHED = 0x118
    NAMESPACE_IS_PRIVATE = 0x119
    NOT_ATTACHED = 0x11A
    INVALID_CONTROLLER_LIST = 0x11C
    WRITE_FAULT = 0x280
    UNRECOVERED_READ = 0x281
    ACCESS_DENIED = 0x286


class Refusal(Exception):
    """A command ends with this status."""

    def __init__(self, status: Status, *, retry: bool = False) -> None:
        super().__init__(status.name)
        self.value = int(status) | (0 if retry else DO_NOT_RETRY)
        """As a completion carries it."""
