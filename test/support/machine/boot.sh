#!/bin/sh
# Boots this machine's own systemd as process 1 of name spaces of its own: a second machine with the same programs. It sees
# this one's files as a copy on write, none of its processes and none of its services; the network alone is shared. When
# standard input ends, it is switched off and leaves nothing behind.
#
#   unshare --mount sh boot.sh <empty folder> <repository> <node>
#
# Needs root, as in a virtual machine: it mounts. Prints the pid of the new process 1.
set -eu
folder=$1 repository=$2 node=$3

# Its resource-control groups have to be below one that it may take for the root of all.
outer() {
  mount -t tmpfs tmpfs "$folder"
  mkdir "$folder/groups"
  mount -t cgroup2 cgroup2 "$folder/groups"
  group=$folder/groups/booted-systemd.$$
  mkdir "$group"
  INNER=yes sh -c 'echo $$ > "$1/cgroup.procs"; shift
    exec unshare --cgroup --pid --uts --ipc --mount --fork --kill-child sh "$@"' \
    outer "$group" "$0" "$folder" "$repository" "$node" &
  cat > /dev/null
  kill -KILL $!
  wait
  tries=0
  until find "$group" -depth -type d -exec rmdir {} + 2> /dev/null; do
    tries=$((tries + 1))
    [ $tries -lt 50 ] || exit 1
    sleep 0.1
  done
}

inner() {
  # What is still the former /proc knows us by the pid that others reach us by.
  read -r pid rest < /proc/self/stat
  cd "$folder"
  mkdir up work root worker-up worker-work empty units old
  mount -t overlay overlay -o "lowerdir=/,upperdir=$PWD/up,workdir=$PWD/work" root
  mkdir -p root/opt/message_broker/worker
  mount -t overlay overlay -o "lowerdir=$repository,upperdir=$PWD/worker-up,workdir=$PWD/worker-work" \
    root/opt/message_broker/worker
  # What a developer may have there.
  (cd root/opt/message_broker/worker && rm -rf logs .env config.yaml certs/*.crt certs/*.key)
  devices
  units
  : > root/usr/local/bin/node
  mount --bind "$node" root/usr/local/bin/node
  cd root
  mount -t proc proc proc
  mount --bind proc/sys proc/sys
  mount -o remount,bind,ro proc/sys
  mount -t sysfs -o ro sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount -t tmpfs -o mode=755 tmpfs run
  mount -t tmpfs -o mode=1777 tmpfs tmp
  chmod 755 . ../empty ../units
  mount --bind ../old mnt
  pivot_root . mnt
  cd /
  echo "process 1 is $pid"
  umount -l /mnt
  exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=boot.target --log-target=console < /dev/null > /dev/null 2>&1
}

devices() {
  mount -t tmpfs -o mode=755 tmpfs root/dev
  for name in null zero full random urandom tty; do
    : > "root/dev/$name"
    mount --bind "/dev/$name" "root/dev/$name"
  done
  mkdir root/dev/pts root/dev/shm
  mount -t devpts -o newinstance,ptmxmode=666 devpts root/dev/pts
  mount -t tmpfs -o mode=1777 tmpfs root/dev/shm
  ln -s pts/ptmx root/dev/ptmx
  ln -s /proc/self/fd root/dev/fd
  : > root/dev/console
}

# Of the units that are installed here, those that every service needs, and the journal.
units() {
  for name in sysinit.target basic.target network-online.target network.target multi-user.target shutdown.target \
    systemd-journald.service systemd-journald.socket systemd-journald-dev-log.socket; do
    cp "/usr/lib/systemd/system/$name" units/
  done
  printf '[Unit]\nDefaultDependencies=no\nWants=systemd-journald.service\n' > units/boot.target
  mount --bind units root/usr/lib/systemd/system
  mount --bind empty root/usr/lib/systemd/system-generators
  mount -t tmpfs -o mode=755 tmpfs root/etc/systemd
  mkdir root/etc/systemd/system
}

if [ "${INNER:-no}" = yes ]; then inner; else outer; fi
