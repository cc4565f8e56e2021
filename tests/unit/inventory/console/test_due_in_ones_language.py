"""That a case is due is said in one's own language, to the last word."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from inventory.console.language.catalogs import catalog
from inventory.domain.exceptions import ExceptionCode
from inventory.models import ErasureCase
from inventory.services.case_dates import _sentence


@pytest.mark.parametrize("code", [ExceptionCode.CASE_DUE, ExceptionCode.CASE_OVERDUE, ExceptionCode.CASE_ESCALATED])
@pytest.mark.parametrize(("tongue", "begins"), [("pt", "O processo de apagamento EC-"), ("ms", "Kes pemadaman EC-")])
def test_a_due_case_is_told_in_ones_language(code: ExceptionCode, tongue: str, begins: str) -> None:
    case = ErasureCase(
        id="EC-2026-000001", reference="CUST-88213", due=datetime(2026, 11, 20, tzinfo=UTC), state="open"
    )
    said = catalog(tongue).sentence(_sentence(case, code))
    assert said.startswith(begins)
    assert "due" not in said
