"""A simulated drive with a LUKS2 container on it: the engine's crash points, with the product's own reading of the header."""

from __future__ import annotations

import dataclasses
from hashlib import shake_256

from sanitizer.container import container_on
from sanitizer.identity import DeviceIdentity
from sanitizer.inspection import Inspection
from sanitizer.readings import with_container
from sanitizer.techniques import TECHNIQUES
from sanitizer.techniques.base import Technique
from tests.support.luks_made import AREA, COPY, medium, reader
from tests.support.simulated_drive import BLOCK, SimulatedDrive, SimulatedSystem

SIZE = AREA + (8 << 10)
KEY = shake_256(b"key slots").digest(AREA - 2 * COPY)
"""What lies in the key slots."""
CIPHERTEXT = shake_256(b"ciphertext").digest(SIZE - AREA)


class ContainerDrive(SimulatedDrive):
    """Holds a container at rest."""

    def __init__(self) -> None:
        super().__init__(size=SIZE)
        content = medium(size=SIZE)
        content[2 * COPY : AREA] = KEY
        content[AREA:] = CIPHERTEXT
        self.current, self.durable = bytearray(content), bytearray(content)


class ContainerSystem(SimulatedSystem):
    """Sees what is on the drive now."""

    def _inspection(self, found: DeviceIdentity | None) -> Inspection:
        seen = dataclasses.replace(super()._inspection(found), hidden_capacity="no")
        container = container_on(self.drive.size, BLOCK, reader(bytes(self.drive.current)))
        return dataclasses.replace(seen, capabilities=with_container(None, container, "sata", "no"))

    def technique(self, name: str) -> Technique:
        return TECHNIQUES[name]
