"""Read models for lists and detail pages. Nothing here writes.

Lists take `after` (the `next` of the page before) and `limit` (1 to 200). Filters that name unknown things give empty pages.
"""

from .data import case, list_cases, list_holdings
from .devices import device, device_timeline, list_devices
from .evidence import list_certificates, list_statements, record, record_envelope
from .exposure import exposure, list_exposures
from .host_places import host_places
from .hosts import host, list_hosts
from .incidents import incident
from .orders import list_orders, order
from .overview import dashboard, list_events, list_exceptions

__all__ = [
    "case",
    "dashboard",
    "device",
    "device_timeline",
    "exposure",
    "host",
    "host_places",
    "incident",
    "list_cases",
    "list_certificates",
    "list_devices",
    "list_events",
    "list_exceptions",
    "list_exposures",
    "list_holdings",
    "list_hosts",
    "list_orders",
    "list_statements",
    "order",
    "record",
    "record_envelope",
]
