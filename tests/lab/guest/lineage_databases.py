"""Real servers of databases, with data in more places than one: found by asking the process that runs, and nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from tests.lab.guest.lineage_tools import HELD, Build, loop, mounted, run, running, until

SERVANT = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=+dac_read_search",
           "--ambient-caps=+dac_read_search")  # fmt: skip
"""PostgreSQL refuses to be root; its programs may lie where only root can look."""


def _place(disk: str, name: str) -> str:
    """A folder of the server's own on a disk of its own."""
    made = Path(mounted(disk, name), name)
    made.mkdir(mode=0o700)
    os.chown(made, 65534, 65534)
    return str(made)


def postgresql() -> tuple[str, list[str]]:
    """PostgreSQL with its log of writes and a tablespace on disks of their own."""
    disks = [loop("pg1", 120), loop("pg2", 60), loop("pg3")]
    data, wal, space = (_place(disk, f"pg-{name}") for disk, name in zip(disks, ("data", "wal", "space"), strict=True))
    run(*SERVANT, "initdb", "-D", data, "-X", wal, "-A", "trust", "-N", "--locale=C", "--wal-segsize=1")
    tuned = ("-c", "shared_buffers=2MB", "-c", "max_connections=10", "-c", "jit=off", "-c", "listen_addresses=")
    server = running(*SERVANT, "postgres", "-D", data, "-k", data, *tuned, log="/run/postgresql.log")
    HELD.append(server)
    ask = (*SERVANT, "psql", "-q", "-h", data, "-U", "nobody", "-d", "postgres", "-c")
    until(lambda: "ready to accept" in Path("/run/postgresql.log").read_text(), "PostgreSQL is ready")
    run(*ask, f"CREATE TABLESPACE crm LOCATION '{space}'")
    run(*ask, "CREATE TABLE customer (name text) TABLESPACE crm")
    return f"postgresql:{data},{wal},{space}", disks


def mariadb() -> tuple[str, list[str]]:
    """MariaDB with its log of writes and one table on disks of their own."""
    disks = [loop("my1", 60), loop("my2"), loop("my3")]
    data, log, table = (_place(disk, f"my-{name}") for disk, name in zip(disks, ("data", "log", "table"), strict=True))
    begin = Path("/run/mariadb.sql")
    begin.write_text(
        "CREATE DATABASE crm;\n"
        f"CREATE TABLE crm.customer (name TEXT) ENGINE=InnoDB DATA DIRECTORY='{table}';\n"
        "INSERT INTO crm.customer VALUES ('Customer 1');\n"
    )
    small = ("--innodb-buffer-pool-size=8M", "--innodb-log-file-size=4M", "--performance-schema=0", "--skip-networking")
    places = (f"--datadir={data}", f"--innodb-log-group-home-dir={log}", "--socket=/run/mariadb.sock")
    plain = (
        "--no-defaults",
        "--user=root",
        "--skip-grant-tables",
        "--pid-file=/run/mariadb.pid",
        f"--init-file={begin}",
    )
    HELD.append(running("mariadbd", *plain, *places, *small, log="/run/mariadb.log"))
    until(lambda: any(Path(table).rglob("customer.ibd")), "MariaDB has made its table")
    until(Path("/run/mariadb.pid").exists, "MariaDB is ready")
    return f"mariadb:{data},{log},{table}/crm", disks


STACKS: dict[str, tuple[str, Build]] = {"postgresql": ("loop", postgresql), "mariadb": ("loop", mariadb)}
