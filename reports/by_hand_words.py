"""What a record of a host without a network says of the leave it had to write, for people. Pure."""

from __future__ import annotations

from .language import ENGLISH, Speaker
from .record import HandedPermit, SanitizationRecord


def by_hand_words(record: SanitizationRecord, speaker: Speaker = ENGLISH) -> str:
    """One sentence for each leave; empty where the service itself was asked."""
    return " ".join(_words(permit, speaker) for permit in record.order.by_hand)


def _words(permit: HandedPermit, speaker: Speaker) -> str:
    asked, permitted = speaker.moment(permit.asked), speaker.moment(permit.permitted)
    age = age_words(permit.age_seconds)
    return speaker.say(
        "common.carried-leave-words", asked=asked, permitted=permitted, age=age, bundle=permit.bundle[:16]
    )


def age_words(seconds: int) -> str:
    """An age in units that every language here writes alike."""
    hours, rest = divmod(max(0, seconds), 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min"
