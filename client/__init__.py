"""A small typed client of the inventory: the standard library, and the messages both sides agreed on.

from client import Service, Token

service = Service("https://sanitrail.example.org", Token(secret))
for device in service.devices(state="retired"):
    print(device.id, device.label)
"""

from .errors import Refused, Unreachable
from .proof import Outgoing, Proof, Token
from .replies import BatchLine, Case, Device, DeviceSummary, ExceptionEntry, Location, Order, OrderSummary, Site, Team
from .service import Service
from .transport import Transport

__all__ = [
    "BatchLine",
    "Case",
    "Device",
    "DeviceSummary",
    "ExceptionEntry",
    "Location",
    "Order",
    "OrderSummary",
    "Outgoing",
    "Proof",
    "Refused",
    "Service",
    "Site",
    "Team",
    "Token",
    "Transport",
    "Unreachable",
]
