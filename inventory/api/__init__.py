"""The HTTP interface: a thin, typed layer over the services."""
