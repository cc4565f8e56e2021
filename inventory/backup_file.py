"""The file of a backup: one ZIP archive that names its rows by table and column, for either kind of database.

    backup.json         what it is: version, schema, log's name, size and root, and the SHA-256 and number of rows of each member
    tables/NAME.jsonl   the rows of a table, one JSON array a line, columns in the order that backup.json names
    secrets/NAME        the service's keys, as they lie in the data directory; none where they were left out
    checkpoint          the log's newest signed checkpoint

Whoever has the file has the keys: it is made with mode 0600. Nothing here asks what the rows mean.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import IO, Any, Final

import sqlalchemy as sa

from inventory.errors import SetupError
from inventory.models import UtcTime

FORMAT: Final = "sanitrail/backup/1"
_MANIFEST: Final = "backup.json"
_LONGEST_LINE: Final = 256 << 20
_SECRET: Final = 1 << 20


class Writer:
    """Writes members one after the other; the manifest last, so that a file that was cut off is none."""

    def __init__(self, target: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1)
        self._members: dict[str, dict[str, Any]] = {}

    def table(self, table: sa.Table, rows: Iterable[Sequence[Any]]) -> int:
        """All rows of a table. Returns how many."""
        count, digest = 0, hashlib.sha256()
        with self._zip.open(f"tables/{table.name}.jsonl", "w", force_zip64=True) as member:
            for row in rows:
                line = json.dumps([_plain(value) for value in row], separators=(",", ":")).encode() + b"\n"
                digest.update(line)
                member.write(line)
                count += 1
        columns = [column.name for column in table.columns]
        self._members[f"tables/{table.name}.jsonl"] = {"sha256": digest.hexdigest(), "rows": count, "columns": columns}
        return count

    def file(self, name: str, content: bytes) -> None:
        """A member as it is."""
        self._zip.writestr(name, content)
        self._members[name] = {"sha256": hashlib.sha256(content).hexdigest()}

    def finish(self, facts: dict[str, Any]) -> None:
        """What it is; nothing can be added afterwards."""
        body = {"format": FORMAT, **facts, "members": self._members}
        self._zip.writestr(_MANIFEST, json.dumps(body, indent=1))
        self.close()

    def close(self) -> None:
        """Nothing more; without `finish` before it, what was written is no backup."""
        self._zip.close()


class Reader:
    """A backup that is there as a file."""

    def __init__(self, path: Path) -> None:
        """Raises `SetupError` where it is none, or of a version this program does not know."""
        try:
            self._zip = zipfile.ZipFile(path)
            self.facts: dict[str, Any] = json.loads(self._zip.read(_MANIFEST))
            self._members: dict[str, dict[str, Any]] = self.facts["members"]
        except (OSError, zipfile.BadZipFile, KeyError, ValueError) as error:
            raise SetupError(f"{path} is no whole backup: {error}.") from error
        if self.facts.get("format") != FORMAT:
            raise SetupError(
                f"{path} is of the format {str(self.facts.get('format'))[:60]!r}; this program reads {FORMAT}."
            )
        self._path = path

    def close(self) -> None:
        """Let the file go."""
        self._zip.close()

    def tables(self) -> list[str]:
        """Names of the tables in it."""
        return [name[7:-6] for name in self._members if name.startswith("tables/") and name.endswith(".jsonl")]

    def secrets(self) -> list[str]:
        """Names of the key files in it."""
        return [name[8:] for name in self._members if name.startswith("secrets/")]

    def check(self) -> None:
        """Read every member once and compare its digest, before anything is restored. Raises `SetupError`."""
        for name, told in self._members.items():
            digest = hashlib.sha256()
            try:
                with self._zip.open(name) as member:
                    while chunk := member.read(1 << 20):
                        digest.update(chunk)
            except (OSError, zipfile.BadZipFile, KeyError, EOFError, zipfile.zlib.error) as error:  # type: ignore[attr-defined]
                raise SetupError(f"{self._path}: {name} cannot be read: {error}.") from error
            if digest.hexdigest() != told["sha256"]:
                raise SetupError(f"{self._path}: {name} is damaged; use another copy of the backup.")

    def file(self, name: str) -> bytes:
        """A small member. Raises `SetupError`."""
        try:
            if self._zip.getinfo(name).file_size > _SECRET:
                raise SetupError(f"{self._path}: {name} is too large for what it should be.")
            return self._zip.read(name)
        except KeyError as error:
            raise SetupError(f"{self._path} has no {name}.") from error

    def rows(self, table: sa.Table) -> Iterator[dict[str, Any]]:
        """The rows of a table, as its columns want them. Raises `SetupError` where they do not fit."""
        name = f"tables/{table.name}.jsonl"
        columns = self._members[name]["columns"]
        if columns != [column.name for column in table.columns]:
            raise SetupError(f"{self._path}: the table {table.name} has other columns than this program's.")
        readers = [_reader(column) for column in table.columns]
        try:
            with self._zip.open(name) as member, io.BufferedReader(member) as lines:  # type: ignore[type-var]  # readable
                while line := lines.readline(_LONGEST_LINE):
                    values = json.loads(line)
                    yield {
                        column: None if value is None else read(value)
                        for column, read, value in zip(columns, readers, values, strict=True)
                    }
        except (ValueError, TypeError, KeyError, binascii.Error) as error:
            raise SetupError(f"{self._path}: a row of {table.name} cannot be read: {error}.") from error


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a column holds
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return base64.b64encode(value).decode()
    return value


def _reader(column: sa.Column[Any]) -> Any:  # noqa: ANN401 - a function of one value
    kind = column.type
    if isinstance(kind, sa.DateTime | UtcTime):
        return datetime.fromisoformat
    if isinstance(kind, sa.LargeBinary):
        return base64.b64decode
    if isinstance(kind, sa.Enum) and kind.enum_class is not None:
        return kind.enum_class
    return lambda value: value
