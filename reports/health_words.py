"""What a record says of its drive's health, for people. Pure."""

from __future__ import annotations

from .health import HealthReading
from .language import ENGLISH, Speaker
from .record import SanitizationRecord

_TOLD = ("temperature", "power_on_hours", "reallocated", "pending", "uncorrectable", "used_percent", "spare_percent")


def health_words(record: SanitizationRecord, speaker: Speaker = ENGLISH) -> str:
    """One sentence a reading; empty where there is none: of a medium that keeps no health, and in older records."""
    return " ".join(_words(reading, speaker) for reading in record.health)


def _words(reading: HealthReading, speaker: Speaker) -> str:
    facts = [speaker.say(f"common.health-{reading.prediction}")]
    for name in _TOLD:
        value = getattr(reading, name)
        if value is not None:
            facts.append(speaker.say(f"common.health-{name.replace('_', '-')}", value=value))
    return speaker.say(f"common.health-{reading.moment}", facts=", ".join(facts))
