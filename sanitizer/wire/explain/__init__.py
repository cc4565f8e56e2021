"""What decoded replies mean, twice: keys for programs, groups of plain sentences for people. Pure, like the decoders.

The keys are those of the independent readings our recordings come with, so that the two can be compared; replies
without such a reading have keys in the same manner. Their meaning does not change between versions.
"""

from sanitizer.wire.explain.ata import explain_ata
from sanitizer.wire.explain.emmc import explain_emmc
from sanitizer.wire.explain.model import Explanation, Group, Row
from sanitizer.wire.explain.nvme import NvmeForm, explain_nvme
from sanitizer.wire.explain.nvme_sanitize import explain_nvme_sanitize
from sanitizer.wire.explain.scsi import ScsiForm, explain_scsi
from sanitizer.wire.explain.sense import Answer, explain_sense

__all__ = [
    "Answer",
    "Explanation",
    "Group",
    "NvmeForm",
    "Row",
    "ScsiForm",
    "explain_ata",
    "explain_emmc",
    "explain_nvme",
    "explain_nvme_sanitize",
    "explain_scsi",
    "explain_sense",
]
