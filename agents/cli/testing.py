"""`self-test`: does the build that is installed here find the faults it claims to find?"""

from __future__ import annotations

import sys

import click

from agents.self_tests import this_build
from sanitizer.selftest import CASES, SelfTest

from .common import Common, explained
from .output import answer


@click.command("self-test")
@explained
def self_test_command(common: Common) -> None:
    """Plant known faults in scratch devices in memory and let this build's own engine look for them.

    Nothing of this host is read or written, and no enrolment is needed. The agent does the same when it starts and once an
    hour, begins nothing until all faults were found, and puts the result into every record. Ends with 3 where a fault was
    missed.
    """
    found = this_build()
    answer(common.as_json, {**found.to_dict(), "missed": list(found.missed), "passed": found.passed}, _text(found))
    sys.exit(0 if found.passed else 3)


def _text(found: SelfTest) -> str:
    tried = {case.fault: case for case in found.cases}
    lines = []
    for case in CASES:
        seen, missed = tried[case.fault], case.fault in found.missed
        ended = seen.state or "defect"
        why = f", {seen.error_code}" if seen.error_code else ""
        lines.append(
            f"{'MISSED' if missed else 'found ' if seen.error_code else 'sound '}  {case.fault:<18} {ended}{why}"
        )
    end = "This build found every planted fault, and none in a sound device."
    if found.missed:
        end = f"This build MISSED {', '.join(found.missed)}: do not use it. The agent begins nothing with it."
    return "\n".join([*lines, "", end, f"Build {found.build_sha256}"])
