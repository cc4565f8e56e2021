"""What a drive says of its own sanitization, as its agent last asked, with the level each technique would reach here."""

from __future__ import annotations

from collections.abc import Collection

from inventory.domain.techniques import offers
from inventory.models.devices import Attachment, Device

from .views import DriveView, TechniqueView


def drive_view(device: Device, attachment: Attachment | None, settings: Collection[str]) -> DriveView | None:
    """Of the present attachment; None where the device is not attached, or was not asked.

    Args:
        device: which one.
        attachment: its present attachment.
        settings: the disputed classifications the policy in force has decided.
    """
    told = None if attachment is None else attachment.capabilities
    if told is None:
        return None
    return DriveView(
        path=told["path"],
        standing=told["standing"],
        locks=tuple(told["locks"]),
        hidden=told["hidden"],
        techniques=tuple(
            TechniqueView(
                name=offer.name,
                label=offer.label,
                does=offer.does,
                method=offer.method,
                usable=offer.usable,
                reasons=offer.reasons,
                estimate_seconds=offer.seconds,
            )
            for offer in offers(told, device.media, settings)
        ),
    )
