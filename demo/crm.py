"""A small but real CRM database: generated customers in SQLite, a dropped table, a backup dump beside it.

Everything is generated from a fixed seed; no name belongs to anybody.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CUSTOMERS = 12_000

_FIRST = (
    "Adriana Aisyah Amir Ana Beatriz Bruno Caio Camila Clara Daniel Diego Elena Faizal Farah Felipe Gabriela Hana Hugo Ines "
    "Ivan Joana Karim Laila Lara Leonor Lucas Mariana Marta Mei Miguel Nadia Nuno Olivia Paulo Rafael Rania Rita Samuel Sofia "
    "Suraya Teresa Tiago Vera Wei Xavier Yasmin Zul"
).split()
_LAST = (
    "Abdullah Almeida Andrade Azevedo Bakar Barbosa Cardoso Carvalho Chong Correia Costa Dias Fernandes Ferreira Fonseca Gomes "
    "Hassan Henriques Ismail Jamal Lopes Macedo Martins Melo Mendes Mohamad Monteiro Moreira Neves Nogueira Osman Pacheco "
    "Pereira Pinto Ramli Ribeiro Rocha Salleh Santos Silveira Soares Tan Teixeira Vieira Wong Yusof"
).split()
_STREETS = "Alder Birch Cedar Elm Fir Hazel Juniper Larch Maple Oak Pine Rowan Spruce Willow".split()


@dataclass(frozen=True)
class Customer:
    """The one who withdraws: what can be looked for on the raw disk."""

    reference: str
    name: str
    email: str
    phone: str


def build(path: Path, *, seed: int = 2883) -> Customer:
    """Create the database at `path` and return the customer who will withdraw."""
    generator = random.Random(seed)  # noqa: S311 - generated people, not keys
    rows = [_row(generator, number) for number in range(1, CUSTOMERS + 1)]
    with _database(path) as db:
        # SQLite's own default; some distributions change it. Applications in the field run with either.
        db.execute("PRAGMA secure_delete = OFF")
        db.execute(
            "CREATE TABLE customer (reference TEXT PRIMARY KEY, name TEXT, email TEXT, phone TEXT, street TEXT, note TEXT)"
        )
        db.execute("CREATE TABLE campaign_2019 AS SELECT * FROM customer WHERE 0")
        db.executemany("INSERT INTO customer VALUES (?, ?, ?, ?, ?, ?)", rows)
        db.executemany("INSERT INTO campaign_2019 VALUES (?, ?, ?, ?, ?, ?)", rows[: CUSTOMERS // 4])
    with _database(path) as db:
        db.execute("PRAGMA secure_delete = OFF")
        db.execute("DROP TABLE campaign_2019")  # a table somebody deleted long ago
    reference, name, email, phone, _, _ = rows[CUSTOMERS // 7]
    return Customer(reference, name, email, phone)


def dump(path: Path, target: Path) -> None:
    """Write the nightly backup: an SQL dump beside the database."""
    with _database(path) as db, target.open("w", encoding="utf-8") as out:
        for line in db.iterdump():
            out.write(line + "\n")


def delete(path: Path, customer: Customer) -> int:
    """Honour the withdrawal as an application does: delete the rows. Returns how many went."""
    with _database(path) as db:
        db.execute("PRAGMA secure_delete = OFF")
        gone = db.execute("DELETE FROM customer WHERE reference = ?", (customer.reference,)).rowcount
        left = db.execute("SELECT count(*) FROM customer WHERE email = ?", (customer.email,)).fetchone()[0]
    if left:
        raise RuntimeError("the rows are still in the table")
    return gone


@contextmanager
def _database(path: Path) -> Iterator[sqlite3.Connection]:
    """One transaction, and the file closed again: an open one would keep the disk mounted."""
    db = sqlite3.connect(path)
    try:
        with db:
            yield db
    finally:
        db.close()


def _row(generator: random.Random, number: int) -> tuple[str, str, str, str, str, str]:
    first, last = generator.choice(_FIRST), generator.choice(_LAST)
    return (
        f"CUST-{number:06d}",
        f"{first} {last}",
        f"{first}.{last}.{number}@customers.example".lower(),
        f"+000 {generator.randrange(10**8, 10**9)}",
        f"{generator.randrange(1, 200)} {generator.choice(_STREETS)} Street",
        f"Prefers contact on weekdays; contract {generator.randrange(10**6, 10**7)}; consent given.",
    )
