#!/bin/sh
# The guest's first process where its root is a Debian of its own: what the packages' programs would have made, then systemd.
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
ldconfig
echo lab > /etc/hostname
: > /etc/machine-id
mkdir -p /etc/systemd/system/multi-user.target.wants /var/log /var/lib/systemd
ln -s /lib/systemd/system/multi-user.target /etc/systemd/system/default.target
# Nobody signs in here, there is no bus, and no other machine's programs are run.
for unit in getty.target systemd-logind.service systemd-pstore.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount; do ln -s /dev/null "/etc/systemd/system/$unit"; done
for unit in lab.service lab-network.service; do
  cp "/lab/boot/$unit" /etc/systemd/system/
  ln -s "/etc/systemd/system/$unit" /etc/systemd/system/multi-user.target.wants/
done
exec /lib/systemd/systemd
