"""Questions that stand between a case and its end: where media that held its data sets are not known, nothing is complete."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy.orm import Session

from inventory.domain.exceptions import ExceptionCode
from inventory.domain.vocabulary import ExceptionState
from inventory.models import CaseDataSet, DataSet, DeclaredPath, ExceptionItem

UNKNOWN_MEDIA: Final = (ExceptionCode.MEDIA_UNTRACED, ExceptionCode.PATH_UNRESOLVED)
"""Exceptions about a path that mean: some medium that holds or held the data set may not be known."""


@dataclass(frozen=True)
class Question:
    """An open exception about a path of one of a case's data sets."""

    exception: str
    data_set: str
    sentence: str


def questions_about(session: Session, case: str) -> tuple[Question, ...]:
    """What has to be answered before the media of a case are all known."""
    rows = session.execute(
        sa.select(ExceptionItem.id, DataSet.name, ExceptionItem.sentence)
        .join(DeclaredPath, DeclaredPath.id == ExceptionItem.subject)
        .join(DataSet, DataSet.id == DeclaredPath.data_set_id)
        .join(CaseDataSet, CaseDataSet.data_set_id == DataSet.id)
        .where(
            CaseDataSet.case_id == case,
            ExceptionItem.state == ExceptionState.OPEN,
            ExceptionItem.code.in_([str(code) for code in UNKNOWN_MEDIA]),
            DeclaredPath.withdrawn.is_(None) | (ExceptionItem.code == str(ExceptionCode.MEDIA_UNTRACED)),
        )
        .order_by(ExceptionItem.id)
    )
    return tuple(Question(number, name, sentence) for number, name, sentence in rows)
