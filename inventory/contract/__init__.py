"""The messages agents, scripts and the service exchange, version by version. Pydantic models, nothing else.

The one room of `inventory` that `agents` may enter. No Flask, no SQLAlchemy, no clock, no file. Every message refuses unknown
fields at ingest; what is signed travels as a DSSE envelope whose payload bytes are never re-serialized.
"""
