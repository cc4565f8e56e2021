"""Disks of another machine: the kernel's own iSCSI and NVMe targets, and this same kernel as the host that logs in to them."""

from __future__ import annotations

from pathlib import Path

from tests.lab.guest.lineage_tools import HELD, MIB, Build, folder, loop, mounted, put, run, running, until

CONFIG = Path("/sys/kernel/config")
ISCSI = "iqn.2026-11.org.example:crm"
NVME = "nqn.2026-11.org.example:crm"


def _configured() -> None:
    if not any(CONFIG.iterdir()):
        run("mount", "-t", "configfs", "configfs", str(CONFIG))


def iscsi() -> tuple[str, list[str]]:
    """A disk over iSCSI."""
    _configured()
    image = Path(folder("iscsi-store"), "disk.img")
    store = CONFIG / "target/core/fileio_0/crm"
    store.mkdir(parents=True)
    put(str(store / "control"), f"fd_dev_name={image},fd_dev_size={40 * MIB}")
    put(str(store / "wwn/vpd_unit_serial"), "4711-far")
    put(str(store / "enable"), "1")
    group = CONFIG / f"target/iscsi/{ISCSI}/tpgt_1"
    for made in (group / "np/127.0.0.1:3260", group / "lun/lun_0"):
        made.mkdir(parents=True)
    (group / "lun/lun_0/store").symlink_to(store)
    for name, value in (("authentication", "0"), ("generate_node_acls", "1"), ("demo_mode_write_protect", "0")):
        put(str(group / "attrib" / name), value)
    put(str(group / "enable"), "1")
    _log_in()
    return mounted(node := _disk_of("iscsi_session"), "iscsi"), [node]


def _log_in() -> None:
    settings = Path("/etc/iscsi")
    settings.mkdir(exist_ok=True)
    (settings / "initiatorname.iscsi").write_text("InitiatorName=iqn.2026-11.org.example:host\n")
    (settings / "iscsid.conf").touch()
    Path("/run/lock/iscsi").mkdir(parents=True, exist_ok=True)
    # It ends its whole process group when it ends.
    HELD.append(running("iscsid", "-f", log="/run/iscsid.log", start_new_session=True))
    there = ("iscsiadm", "-m", "node", "-T", ISCSI, "-p", "127.0.0.1")
    run(*there, "-o", "new")
    run(*there, "--login")


def _disk_of(kind: str) -> str:
    found: list[Path] = []

    def seen() -> bool:
        found[:] = Path(f"/sys/class/{kind}").glob("session*/device/target*/*/block/*")
        return bool(found)

    until(seen, "the disk of the other machine is here")
    run("udevadm", "settle", "-t", "30")
    return f"/dev/{found[0].name}"


def nvme() -> tuple[str, list[str]]:
    """A namespace of another machine over TCP, reached by two ways, which the kernel makes one disk of."""
    _configured()
    behind = loop("nv1")
    target = CONFIG / "nvmet"
    far = target / f"subsystems/{NVME}"
    (far / "namespaces/1").mkdir(parents=True)
    put(str(far / "attr_allow_any_host"), "1")
    put(str(far / "attr_serial"), "LABFAR1")
    put(str(far / "namespaces/1/device_path"), behind)
    put(str(far / "namespaces/1/enable"), "1")
    for number, port in enumerate(("4420", "4421"), 1):
        door = target / f"ports/{number}"
        door.mkdir()
        for name, value in (("trtype", "tcp"), ("adrfam", "ipv4"), ("traddr", "127.0.0.1"), ("trsvcid", port)):
            put(str(door / f"addr_{name}"), value)
        (door / f"subsystems/{NVME}").symlink_to(far)
        run("nvme", "connect", "-t", "tcp", "-n", NVME, "-a", "127.0.0.1", "-s", port,
            "--hostnqn=nqn.2014-08.org.nvmexpress:uuid:00000000-0000-4000-8000-000000004711")  # fmt: skip
    return mounted(node := _namespace(), "nvme-tcp"), [node]


def _namespace() -> str:
    found: list[str] = []

    def seen() -> bool:
        heads = [each for each in Path("/sys/block").glob("nvme*n*") if (each / "hidden").read_text().strip() == "0"]
        found[:] = [each.name for each in heads if (each / "device/subsysnqn").read_text().strip() == NVME]
        return bool(found)

    until(seen, "the namespace of the other machine is here")
    run("udevadm", "settle", "-t", "30")
    return f"/dev/{found[0]}"


STACKS: dict[str, tuple[str, Build]] = {
    "iscsi": ("target_core_mod target_core_file iscsi_target_mod iscsi_tcp sd_mod", iscsi),
    "nvme-tcp": ("nvmet nvmet_tcp nvme_tcp", nvme),
}
