"""Replies of devices, bytes to values: pure, total, and believing nothing.

Every decoder takes any bytes. What it returns is frozen; beside each field stands where it comes from; what the reply
does not say is None. Bytes that cannot be the reply they are taken for raise `MalformedReply`, and nothing else is
raised. No decoder draws a conclusion: "the drive reports" is as far as this room goes.
"""

from sanitizer.wire.ata_identify import Capacity, IdentifyDevice, Integrity, decode_identify_device
from sanitizer.wire.ata_status import SanitizeAbortReason, SanitizeStatus, decode_sanitize_status
from sanitizer.wire.ata_words import EraseTime, HiddenAreas, Sanitize, Security, SecurityLevel, Trim
from sanitizer.wire.capacity import (
    DcoIdentify,
    ModeBlockDescriptor,
    NamespaceList,
    ReadCapacity,
    decode_dco_identify,
    decode_mode_block_descriptor,
    decode_namespace_list,
    decode_read_capacity_16,
)
from sanitizer.wire.emmc import ExtCsd, decode_ext_csd
from sanitizer.wire.errors import MalformedReply
from sanitizer.wire.nvme_controller import IdentifyController, decode_identify_controller
from sanitizer.wire.nvme_namespace import BlockFormat, IdentifyNamespace, decode_identify_namespace
from sanitizer.wire.nvme_sanitize import (
    SanitizeCommand,
    SanitizeLog,
    SanitizeOutcome,
    SanitizeState,
    decode_sanitize_log,
)
from sanitizer.wire.opal_discovery import Discovery, decode_opal_discovery, decode_security_protocols
from sanitizer.wire.pass_through import AtaRegisters, RegisterLayout, decode_pass_through_answer, registers_in
from sanitizer.wire.scsi_answers import AtaOutcome, ScsiOutcome, ata_outcome, scsi_outcome
from sanitizer.wire.scsi_inquiry import Inquiry, decode_inquiry
from sanitizer.wire.scsi_opcodes import (
    CommandSupport,
    CommandTimeouts,
    Support,
    SupportedCommand,
    SupportedCommands,
    decode_command_support,
    decode_supported_commands,
)
from sanitizer.wire.scsi_vpd import (
    AnyVpdPage,
    BlockDeviceCharacteristics,
    Designator,
    DeviceIdentification,
    LogicalBlockProvisioning,
    SupportedPages,
    UnitSerialNumber,
    decode_block_device_characteristics,
    decode_device_identification,
    decode_logical_block_provisioning,
    decode_supported_pages,
    decode_unit_serial_number,
    decode_vpd,
)
from sanitizer.wire.sense import Sense, SenseDescriptor, SenseFormat, decode_sense

__all__ = [
    "AnyVpdPage",
    "AtaOutcome",
    "AtaRegisters",
    "BlockDeviceCharacteristics",
    "BlockFormat",
    "Capacity",
    "CommandSupport",
    "CommandTimeouts",
    "DcoIdentify",
    "Designator",
    "DeviceIdentification",
    "Discovery",
    "EraseTime",
    "ExtCsd",
    "HiddenAreas",
    "IdentifyController",
    "IdentifyDevice",
    "IdentifyNamespace",
    "Inquiry",
    "Integrity",
    "LogicalBlockProvisioning",
    "MalformedReply",
    "ModeBlockDescriptor",
    "NamespaceList",
    "ReadCapacity",
    "RegisterLayout",
    "Sanitize",
    "SanitizeAbortReason",
    "SanitizeCommand",
    "SanitizeLog",
    "SanitizeOutcome",
    "SanitizeState",
    "SanitizeStatus",
    "ScsiOutcome",
    "Security",
    "SecurityLevel",
    "Sense",
    "SenseDescriptor",
    "SenseFormat",
    "Support",
    "SupportedCommand",
    "SupportedCommands",
    "SupportedPages",
    "Trim",
    "UnitSerialNumber",
    "ata_outcome",
    "decode_block_device_characteristics",
    "decode_command_support",
    "decode_dco_identify",
    "decode_device_identification",
    "decode_ext_csd",
    "decode_identify_controller",
    "decode_identify_device",
    "decode_identify_namespace",
    "decode_inquiry",
    "decode_logical_block_provisioning",
    "decode_mode_block_descriptor",
    "decode_namespace_list",
    "decode_opal_discovery",
    "decode_pass_through_answer",
    "decode_read_capacity_16",
    "decode_sanitize_log",
    "decode_sanitize_status",
    "decode_security_protocols",
    "decode_sense",
    "decode_supported_commands",
    "decode_supported_pages",
    "decode_unit_serial_number",
    "decode_vpd",
    "registers_in",
    "scsi_outcome",
]
