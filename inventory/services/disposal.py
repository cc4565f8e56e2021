"""The gate: no medium that holds or held data leaves without a validated record that fits the policy in force for where it goes."""

from __future__ import annotations

from dataclasses import dataclass

from .context import Actor, Context
from .views import DeviceDetail, GateView


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where a device is to go."""

    party: str | None = None
    """Who receives it; None: nobody in the register (sale to the public, recycling)."""
    location: str | None = None
    """Which place, where it is one of the register."""
    reuse: bool = True
    """Whether the medium shall be used again (by whomever)."""
    description: str = ""
    """In words, printed on the certificate (SP 800-88 Rev. 1, 4.8 `Post-Sanitization Destination`)."""


@dataclass(frozen=True, kw_only=True)
class ReleaseDevice:
    """Hand a device over for good."""

    device: str
    destination: Destination
    reason: str
    version: int | None = None


def gate(context: Context, actor: Actor, device: str, destination: Destination) -> GateView:
    """Ask the gate without moving anything. Permission `inventory.read`. Raises `NotFound`."""
    raise NotImplementedError


def release(context: Context, actor: Actor, command: ReleaseDevice) -> DeviceDetail:
    """Release a device through the gate; a refusal is written into the history, too. Permission `device.release`.

    Raises:
        GateClosed: with every reason in plain words. There is no override.
        IllegalTransition, StaleVersion, NotFound.
    """
    raise NotImplementedError
