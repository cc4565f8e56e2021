#!/bin/sh
# The guest's first process after switch_root: mounts, the kernel's modules, udev, then the agent.
# The root is the host's own, read-only, under a layer of memory; /lab is the one folder shared with the host.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH HOME=/root LANG=C.UTF-8 PYTHONDONTWRITEBYTECODE=1
. /lab/boot/settings

mkdir -p /dev/pts /dev/shm
mount -t devpts devpts /dev/pts
mount -t tmpfs tmpfs /dev/shm
mount -t tmpfs tmpfs /run
mkdir -p /run/udev /run/lock /lib/modules
mount --bind "$MODULES" "/lib/modules/$(uname -r)" 2>/dev/null \
  || { mount -t tmpfs tmpfs /lib/modules && mkdir "/lib/modules/$(uname -r)" && mount --bind "$MODULES" "/lib/modules/$(uname -r)"; }
echo lab > /proc/sys/kernel/hostname
/bin/busybox ip link set lo up

/lib/systemd/systemd-udevd --daemon
udevadm trigger --action=add --subsystem-match=pci --subsystem-match=virtio --subsystem-match=block --subsystem-match=scsi
udevadm settle -t 30
for card in /sys/class/net/e*; do
  [ -e "$card" ] || continue
  /bin/busybox ip link set "${card##*/}" up
  /bin/busybox ip addr add 10.0.2.15/24 dev "${card##*/}"
done
# Not exec: as the first process, the shell buries what others leave behind. When the agent ends, the machine does.
"$PYTHON" -I -S -u /lab/boot/guest_agent.py
