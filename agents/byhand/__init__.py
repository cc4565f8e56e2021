"""Work on a host without a network: bundles come in and go out by file or as codes to scan. Nothing here opens a connection."""
