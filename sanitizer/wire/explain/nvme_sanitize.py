"""The Sanitize Status log in keys and in words: what the controller reports, and no verdict."""

from __future__ import annotations

from enum import IntEnum

from sanitizer.wire.explain.model import Explanation, Group, Keys, Row, share, word, yes_no
from sanitizer.wire.fields import Buffer
from sanitizer.wire.nvme_sanitize import (
    SanitizeAction,
    SanitizeLog,
    SanitizeOutcome,
    SanitizeState,
    decode_sanitize_log,
)

_OUTCOMES = {
    SanitizeOutcome.NEVER: "never sanitized",
    SanitizeOutcome.SUCCESS: "the most recent operation completed successfully",
    SanitizeOutcome.IN_PROGRESS: "an operation is in progress",
    SanitizeOutcome.FAILED: "the most recent operation FAILED",
    SanitizeOutcome.SUCCESS_DEALLOCATED: "the most recent operation completed successfully, and deallocated though asked not to",
}
_STATES = {
    SanitizeState.IDLE_OR_NOT_REPORTED: "idle, or not reported by this controller",
    SanitizeState.RESTRICTED_PROCESSING: "working (restricted: a failure can be left by another sanitize only)",
    SanitizeState.RESTRICTED_FAILURE: "FAILED (restricted: only another sanitize without AUSE is accepted)",
    SanitizeState.UNRESTRICTED_PROCESSING: "working (unrestricted)",
    SanitizeState.UNRESTRICTED_FAILURE: "FAILED (unrestricted: it can be exited, with data perhaps intact)",
    SanitizeState.MEDIA_VERIFICATION: "media verification: reads show the media before deallocation",
    SanitizeState.POST_VERIFICATION_DEALLOCATION: "deallocating after media verification",
}
_ACTIONS = {
    SanitizeAction.EXIT_FAILURE_MODE: "exit failure mode",
    SanitizeAction.BLOCK_ERASE: "block erase",
    SanitizeAction.OVERWRITE: "overwrite",
    SanitizeAction.CRYPTO_ERASE: "cryptographic erase",
    SanitizeAction.EXIT_MEDIA_VERIFICATION: "exit media verification",
}


def _name(value: IntEnum | None) -> str | None:
    return None if value is None else value.name.lower()


def keys(log: SanitizeLog) -> Keys:
    """Keys in the manner of the adopted ones; no independent reading came with our recordings."""
    command, estimates = log.command, log.estimates
    return {
        "sprog": log.progress_raw,
        "progress_65536": log.progress,
        "sstat": {
            "raw": word(log.status_raw),
            "status": log.status_raw & 7,
            "status_name": _name(log.outcome),
            "passes_completed": log.passes_completed,
            "global_data_erased": log.global_data_erased,
            "media_verification_cancelled": log.verification_cancelled,
            "namespace_data_erased": log.namespace_data_erased,
        },
        "scdw10": {
            "raw": f"0x{command.raw:08x}",
            "sanact": command.raw & 7,
            "sanact_name": _name(command.action),
            "ause": command.allow_unrestricted_exit,
            "owpass": command.passes,
            "oipbp": command.invert_between_passes,
            "ndas": command.no_deallocate,
            "emvs": command.enter_verification,
        },
        "estimates_seconds": {
            "overwrite_16_passes": estimates.overwrite,
            "block_erase": estimates.block_erase,
            "crypto_erase": estimates.crypto_erase,
            "overwrite_16_passes_no_deallocate": estimates.overwrite_no_deallocate,
            "block_erase_no_deallocate": estimates.block_erase_no_deallocate,
            "crypto_erase_no_deallocate": estimates.crypto_erase_no_deallocate,
            "post_verification_deallocation": estimates.post_verification_deallocation,
        },
        "state": {
            "sans": None if log.state is None else int(log.state),
            "sans_name": _name(log.state),
            "fails": None if log.failed_state is None else int(log.failed_state),
            "fails_name": _name(log.failed_state),
        },
    }


def _seconds(count: int | None) -> str:
    if count is None:
        return "not reported"
    if count == 0:
        return "done when the command returns, or not reported"
    hours, rest = divmod(count, 3600)
    return f"{count} seconds ({hours}:{rest // 60:02d}:{rest % 60:02d})"


def _command(log: SanitizeLog) -> Group:
    command = log.command
    rows: list[Row] = [("Command dword 10", f"{command.raw:08x}h")]
    if log.outcome is not SanitizeOutcome.NEVER:
        action = f"reserved value {command.raw & 7}" if command.action is None else _ACTIONS[command.action]
        rows.append(("Action", action))
        if command.action is SanitizeAction.OVERWRITE:
            rows += [
                ("Passes asked for", str(command.passes)),
                ("Passes completed", str(log.passes_completed)),
                ("Pattern inverted between passes", yes_no(command.invert_between_passes)),
            ]
        rows += [
            ("Failure can be exited (AUSE)", yes_no(command.allow_unrestricted_exit)),
            ("Asked not to deallocate (NDAS)", yes_no(command.no_deallocate)),
            ("Asked for media verification (EMVS)", yes_no(command.enter_verification)),
        ]
    return Group("The last sanitize command", tuple(rows))


def _report(log: SanitizeLog) -> Group:
    outcome = f"reserved value {log.status_raw & 7}" if log.outcome is None else _OUTCOMES[log.outcome]
    rows: list[Row] = [("The controller reports", outcome)]
    if log.progress is not None:
        rows.append(("Progress", share(log.progress)))
    rows += [
        ("State", "unknown" if log.state is None else _STATES[log.state]),
        ("No user data written since (GDE)", yes_no(log.global_data_erased)),
        ("Media verification was cancelled", yes_no(log.verification_cancelled)),
    ]
    if log.outcome is SanitizeOutcome.FAILED and log.failed_state not in {None, SanitizeState.IDLE_OR_NOT_REPORTED}:
        rows.insert(-2, ("It failed while", _STATES[log.failed_state]))
    return Group("Status", tuple(rows))


def _attention(log: SanitizeLog) -> tuple[str, ...]:
    done = log.outcome in {SanitizeOutcome.SUCCESS, SanitizeOutcome.SUCCESS_DEALLOCATED}
    found = {
        "The log has no time: this success may be years old and of another's command. It proves nothing by itself.": done,
        "User data was written since: the operation does not speak of what is there now.": done
        and not log.global_data_erased,
        "The drive refuses input and output until a sanitize succeeds or its failure is exited.": log.in_failure_mode,
        "A failed sanitize is on record; whether the drive still refuses commands this log does not say.": log.in_failure_mode
        is None
        and log.outcome is SanitizeOutcome.FAILED,
        "An operation that runs cannot be stopped and goes on after power loss.": log.outcome
        is SanitizeOutcome.IN_PROGRESS,
        "The status is a value no standard defines: treat it as unknown.": log.outcome is None,
    }
    return tuple(sentence for sentence, holds in found.items() if holds)


def explain_nvme_sanitize(data: Buffer) -> Explanation:
    """Explain log page 81h. Raises `MalformedReply` as the decoder does."""
    log = decode_sanitize_log(data)
    estimates = log.estimates
    times = Group(
        "How long the controller thinks it takes",
        (
            ("Overwrite, 16 passes", _seconds(estimates.overwrite)),
            ("Block erase", _seconds(estimates.block_erase)),
            ("Cryptographic erase", _seconds(estimates.crypto_erase)),
            ("Overwrite, 16 passes, no deallocation", _seconds(estimates.overwrite_no_deallocate)),
            ("Block erase, no deallocation", _seconds(estimates.block_erase_no_deallocate)),
            ("Cryptographic erase, no deallocation", _seconds(estimates.crypto_erase_no_deallocate)),
        ),
    )
    return Explanation(
        title="NVMe Sanitize Status log (81h)",
        groups=(_report(log), _command(log), times),
        attention=_attention(log),
        keys=keys(log),
    )
