"""Files of evidence: kept byte for byte, told by their first bytes, and never altered without it being seen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from inventory.domain.evidence_files import MOST_BYTES, media_type_of
from inventory.errors import Conflict, Forbidden, Invalid, NotFound
from inventory.services import evidence_files
from inventory.services.evidence_files import KeepFile
from reports.canonical import sha256_hex
from tests.support.inventory_world import DISK, OTHER_DISK, World, copied_world

PICTURE = b"\xff\xd8\xff\xe0 a photograph of shreds"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A company; tests leave files behind."""
    with copied_world(tmp_path_factory.mktemp("files") / "data") as made:
        yield made


def keep(world: World, content: bytes = PICTURE, by: str = "custodian", device: str = "") -> str:
    """A file about the first disk; its number."""
    command = KeepFile(device=device or world.device(DISK).id, content=content, note="after the shredder")
    return evidence_files.keep(world.context, world.actor(by), command).id


def test_it_comes_back_byte_for_byte_under_its_digest(world: World) -> None:
    number = keep(world)
    view, content = evidence_files.content(world.context, world.actor("auditor"), number)
    assert (content, view.sha256, view.media_type) == (PICTURE, sha256_hex(PICTURE), "image/jpeg")
    assert "evidence-file.kept" in world.tags(number)


def test_the_same_file_is_kept_once_for_each_device(world: World) -> None:
    assert keep(world) == keep(world)
    assert keep(world) != keep(world, device=world.device(OTHER_DISK).id)


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        (b"\x89PNG\r\n\x1a\n....", "image/png"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x00\x00\x00\x18ftypmp42", "video/mp4"),
        (b"<html><script>", None),
        (b"GIF89a", None),
        (b"MZ", None),
        (b"", None),
    ],
)
def test_what_it_is_its_first_bytes_tell(first: bytes, expected: str | None) -> None:
    assert media_type_of(first) == expected


@pytest.mark.parametrize("content", [b"", b"<svg onload=alert(1)>", b"\xff\xd8\xff" + bytes(MOST_BYTES)])
def test_nothing_else_is_kept(world: World, content: bytes) -> None:
    with pytest.raises(Invalid):
        keep(world, content)


@pytest.mark.parametrize("by", ["viewer", "auditor", "approver1", "admin"])
def test_who_may_not_add_any(world: World, by: str) -> None:
    with pytest.raises(Forbidden):
        keep(world, by=by)


def test_who_reads_no_evidence_gets_none(world: World) -> None:
    number = keep(world)
    with pytest.raises(Forbidden):
        evidence_files.content(world.context, world.actor("viewer"), number)
    with pytest.raises(NotFound):
        evidence_files.content(world.context, world.actor("auditor"), "EF-999999")


def test_a_row_that_was_altered_is_not_handed_out(world: World) -> None:
    number = keep(world, PICTURE + b"2")
    with world.context.database.engine.begin() as connection:
        connection.execute(sa.text("DROP TRIGGER guard_evidence_file_update"))
        connection.execute(
            sa.text("UPDATE evidence_file SET content = :other WHERE id = :id"), {"other": PICTURE, "id": number}
        )
    with pytest.raises(Conflict, match="altered"):
        evidence_files.content(world.context, world.actor("auditor"), number)


def test_the_database_refuses_to_change_one(world: World) -> None:
    number = keep(world, PICTURE + b"3")
    with world.context.database.engine.begin() as connection, pytest.raises(sa.exc.DatabaseError, match="appended"):
        connection.execute(sa.text("DELETE FROM evidence_file WHERE id = :id"), {"id": number})
