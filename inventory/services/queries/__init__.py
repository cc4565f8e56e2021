"""Read models for lists and detail pages. Nothing here writes.

Lists take `after` (the `next` of the page before) and `limit` (1 to 200). Filters that name unknown things give empty pages.
"""

from .bays import wall
from .called import called
from .data import case, list_cases, list_holdings
from .devices import device, device_timeline, list_devices
from .evidence import list_certificates, list_statements, record, record_envelope
from .exposure import exposure, list_exposures
from .health import device_health
from .host_places import host_places
from .hosts import host, list_hosts
from .incidents import incident
from .journeys import device_journey
from .maps import case_map, data_set_map, device_map
from .orders import list_orders, order, order_pulse
from .overview import dashboard, list_events, list_exceptions

__all__ = [
    "called",
    "case",
    "case_map",
    "dashboard",
    "data_set_map",
    "device",
    "device_health",
    "device_journey",
    "device_map",
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
    "order_pulse",
    "record",
    "record_envelope",
    "wall",
]
