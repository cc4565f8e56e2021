"""The kernel's own Opal (linux/sed-opal.h): the revert with the number printed on the label."""

from __future__ import annotations

from .ioctl import Descriptor, call, explicit, undelivered

IOC_OPAL_PSID_REVERT_TPR = 0x410870E8
_KEY_AT = 8
_KEY_BYTES = 256
OPAL_KEY_BYTES = _KEY_AT + _KEY_BYTES
"""struct opal_key: locking range, length and type of the key, padding, the key."""


class OpalIoctl:
    """The Opal port of an open descriptor; implements `OpalPort`."""

    def __init__(self, descriptor: Descriptor) -> None:
        self._descriptor = descriptor

    def opal_psid_revert(self, psid: bytes, *, timeout_ms: int) -> int:
        """Return the drive to its factory state, which destroys its keys.

        Args:
            psid: As printed, 32 characters.
            timeout_ms: The caller's expectation; the kernel has no timeout for this request but the driver's own.

        Returns:
            The TCG status: 0 success, 1 not authorised; a positive result of an ioctl is easily lost.

        Raises:
            DeviceGone: nothing is there any more.
            CommandTimeout: no answer in time; the drive may have been reverted.
            HostRejected: this kernel has no Opal for this device.
        """
        explicit(timeout_ms)
        if not 1 <= len(psid) <= _KEY_BYTES:
            raise ValueError(f"a PSID has 1 to {_KEY_BYTES} bytes, printed ones 32")
        key = bytearray(OPAL_KEY_BYTES)
        key[1] = len(psid)
        key[_KEY_AT : _KEY_AT + len(psid)] = psid
        try:
            return call(self._descriptor, IOC_OPAL_PSID_REVERT_TPR, key)
        except OSError as error:
            raise undelivered(error, "IOC_OPAL_PSID_REVERT_TPR", timeout_ms) from error
        finally:
            key[:] = bytes(len(key))
