#!/bin/sh
# Runs a program as Kubernetes runs a container: process 1 of name spaces of its own, a root that cannot be written, volumes
# as the kubelet lays them, a plain user without any privilege. The network alone is shared.
#
#   unshare --mount --pid --fork --kill-child sh pod.sh <empty folder> <repository> <node> <secrets> <uid> <command...>
#
# In VOLUMES, one a line: "secret <path>" for what <secrets> holds, "scratch <path>" for an emptyDir. Prints the pid of the
# program before it starts.
set -eu
folder=$1 repository=$2 node=$3 secrets=$4 user=$5
shift 5

read -r pid rest < /proc/self/stat
mount -t tmpfs tmpfs "$folder"
cd "$folder"
mkdir up work root
mount -t overlay overlay -o "lowerdir=/,upperdir=$PWD/up,workdir=$PWD/work" root
mkdir root/app root/dev/shm 2> /dev/null || true
for name in dist node_modules config package.json; do
  if [ -d "$repository/$name" ]; then mkdir "root/app/$name"; else : > "root/app/$name"; fi
  mount --bind "$repository/$name" "root/app/$name"
  mount -o remount,bind,ro "root/app/$name"
done
: > root/usr/local/bin/node
mount --bind "$node" root/usr/local/bin/node
mount --bind /dev root/dev
mount -t proc proc root/proc

# The top of an emptyDir belongs to root; fsGroup makes its group ours. Of a secret, group and the right to read, no more.
echo "$VOLUMES" | while read -r kind path; do
  mkdir -p "root$path"
  mount -t tmpfs -o "mode=2777,gid=$user" tmpfs "root$path"
  [ "$kind" = secret ] || continue
  cp "$secrets"/* "root$path/"
  chown "root:$user" "root$path"/*
  chmod 440 "root$path"/*
  mount -o remount,ro "root$path"
done

cd root
mkdir old
mount -o remount,ro .
pivot_root . old
cd /app
umount -l /old
echo "process 1 is $pid"
exec setpriv --reuid="$user" --regid="$user" --groups="$user" --bounding-set=-all --inh-caps=-all --no-new-privs "$@"
