"""The report as text: one table a group, the faults, the goals. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from .fault_rules import BAD_SECTORS, LIES, FaultRow
from .figures import GroupResult, Row
from .goals import Judged

MIB = 1 << 20
_DASH = "-"


def _columns(lines: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Align columns; the first `left` to the left, the rest to the right."""
    widths = [max(len(line[n]) for line in lines) for n in range(len(lines[0]))]
    return [
        "  ".join(
            word.ljust(width) if n < left else word.rjust(width)
            for n, (word, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in lines
    ]


def _number(value: float | None, digits: int) -> str:
    return _DASH if value is None else f"{value:.{digits}f}"


HEAD = ("", "x ours", "span s", "wall s", "GB/s", "CPU-s/GiB", "RSS MiB", "cache MiB", "runs")


def _figures(row: Row, *, first: bool) -> tuple[str, ...]:
    rss, cache = row.median(lambda s: s.peak_rss), row.median(lambda s: s.cache_growth)
    return (
        row.label + (" *" if row.small else ""),
        _number(1.0 if first else row.ratio(), 2),
        _number(row.median(lambda s: s.span), 2),
        _number(row.median(lambda s: s.wall), 2),
        _number(row.gigabytes_per_second(), 2),
        _number(row.cpu_per_gib(), 3),
        _number(rss / MIB if rss else None, 0),
        _number(cache / MIB if cache is not None else None, 0),
        str(len(row.good)),
    )


START_HEAD = ("", "x ours", "first write s", "wall s", "RSS MiB", "runs")


def _start_figures(row: Row, *, first: bool) -> tuple[str, ...]:
    rss = row.median(lambda s: s.peak_rss)
    return (
        row.label,
        _number(1.0 if first else row.ratio(lambda s: s.to_first_write), 2),
        _number(row.median(lambda s: s.to_first_write), 3),
        _number(row.median(lambda s: s.wall), 2),
        _number(rss / MIB if rss else None, 0),
        str(len(row.good)),
    )


def group_table(group: GroupResult) -> str:
    """One group as text."""
    lines = [f"{group.title}"]
    if group.not_measured is not None:
        return f"{group.title}\n  not measured: {group.not_measured}"
    shown = [row for row in group.rows if row.failure is None]
    if shown:
        head, figures = (START_HEAD, _start_figures) if group.key == "start" else (HEAD, _figures)
        ours = group.rows[0].key
        table = [head, *(figures(row, first=row.key == ours) for row in shown)]
        lines += ["  " + line for line in _columns(table)]
    lines += [f"  {row.label}: {row.failure}" for row in group.rows if row.failure is not None]
    small = next((row for row in shown if row.small), None)
    if small is not None:
        size = small.device_bytes // MIB
        lines.append(f"  * slow: measured on {size} MiB, the ratio is to our run on those same {size} MiB")
    notes = dict.fromkeys(row.note for row in shown if row.note)
    lines += [f"  {note}." for note in notes]
    return "\n".join(lines)


def disturbance(groups: Sequence[GroupResult]) -> str | None:
    """How much others used the machine meanwhile, when it was enough to blur the figures."""
    turns, busy = sum(group.turns for group in groups), sum(group.busy_turns for group in groups)
    if busy * 10 <= turns:
        return None
    return f"The machine was not quiet: {busy} of {turns} turns began with others using over a fifth of it. Ratios are coarse."


def faults_table(rows: Sequence[FaultRow]) -> str:
    """What tools leave on a failing device, and what our engine finds on lying ones."""
    titles = {fault.key: fault.title for fault in (BAD_SECTORS, *LIES)}
    unavoidable = {fault.key: fault.unavoidable for fault in (BAD_SECTORS, *LIES)}
    lines: list[tuple[str, ...]] = [("", "device", "says", "old sectors left", "unavoidable", "failing requests", "s")]
    lines += [
        (
            row.label,
            titles[row.fault],
            row.said,
            str(row.sectors_left),
            str(unavoidable[row.fault]),
            str(row.failing_requests),
            f"{row.seconds:.1f}",
        )
        for row in rows
        if row.left_out is None
    ]
    missing = [f"  {row.label}: {row.left_out}" for row in rows if row.left_out is not None]
    body = ["  " + line for line in _columns(lines, left=3)]
    return "\n".join(["Failing and lying devices (64 MiB, 512-byte sectors)", *body, *missing])


BARS_ARE_FOR = 4096 * MIB
"""Bytes of device the bars were set with."""


def goals_table(goals: Sequence[Judged], size: int = BARS_ARE_FOR) -> str:
    """The bars and whether they hold, for a device of `size` bytes."""
    word = {True: "met", False: "NOT MET", None: "-"}
    lines = [("goal", "bar", "measured", ""), *((g.goal, g.bar, g.measured, word[g.met]) for g in goals)]
    met, missed = sum(g.met is True for g in goals), sum(g.met is False for g in goals)
    summary = f"{met} met, {missed} not met, {len(goals) - met - missed} not judged."
    if size < BARS_ARE_FOR:
        summary += (
            f" The bars are for {BARS_ARE_FOR // MIB} MiB: on {size // MIB} MiB the fixed cost of a start weighs more."
        )
    return "\n".join(["Goals", *("  " + line for line in _columns(lines, left=4)), f"  {summary}"])
