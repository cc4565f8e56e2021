"""Tokens for every test here that asks for one."""

from __future__ import annotations

from tests.support.tokens import softhsm, tpm

__all__ = ["softhsm", "tpm"]
