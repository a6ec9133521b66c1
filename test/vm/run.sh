#!/bin/bash
# Does Hoist work on an ordinary Debian machine: systemd, pure cgroup v2, its own kernel? Boots one in QEMU and runs
# test/vm/inside.sh there, with Debian 13's kernel (6.12: erofs from files) and with Debian 12's (6.1: loop devices).
# Not part of npm test: needs root, Debian's mirror and some minutes. Everything is kept below .build/vm/.
#   test/vm/run.sh [--kernel 6.12|6.1] [--only REGEX] [--suite NAMES]
#     --only: of the names of checks     --suite: test/kernel/NAME.test.ts in there, too: limits,life-verbs or '*'
set -euo pipefail
cd "$(dirname "$0")/../.."
kernels='6.12 6.1' suite= only=
while [ $# -gt 0 ]; do
  case $1 in
    --kernel) kernels=$2; shift ;;
    --only) only=$2; shift ;;
    --suite) suite=$2; shift ;;
    *) sed -n '2,6s/^# //p' "$0" >&2; exit 2 ;;
  esac
  shift
done
[ "$(id -u)" = 0 ] || { echo 'vm: not root' >&2; exit 2; }
# Without KVM, or with one that runs only guests made for it (kvm_pvm), QEMU interprets: ten times slower, no less true.
# QEMU 7.2 gets the flags of CMPXCHG16B wrong there, so the machine has none.
accel=(-accel tcg,thread=single -cpu max,-cx16)
if [ -w /dev/kvm ] && [ ! -e /sys/module/kvm_pvm ]; then accel=(-accel kvm -cpu host); fi
place=$PWD/.build/vm
mkdir -p "$place"

missing=
for pair in qemu-system-x86_64:qemu-system-x86 mmdebstrap:mmdebstrap mkfs.ext4:e2fsprogs; do
  command -v "${pair%%:*}" >/dev/null || missing="$missing ${pair#*:}"
done
if [ -n "$missing" ]; then
  echo "vm: installing$missing"
  apt-get update -q >/dev/null
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $missing >"$place/apt.log"
fi

# The machine: Debian 13 with two kernels, and a unit that runs what the second disk brings.
packages=systemd-sysv,dbus,udev,kmod,nodejs,busybox-static,iproute2,nftables,procps,curl,bsdutils,util-linux,e2fsprogs
packages=$packages,python3-minimal,ca-certificates,passwd,initramfs-tools,linux-image-cloud-amd64
packages=$packages,libpam-systemd,dbus-user-session,uidmap,passt,gcc,libc6-dev
if [ ! -f "$place/machine.ext4" ] || [ "$(cat "$place/machine.packages" 2>/dev/null)" != "$packages" ]; then
  echo 'vm: making the machine (some minutes, once)'
  work=$(mktemp -d "$place/root.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  mmdebstrap --quiet --variant=minbase --include="$packages" --skip=cleanup/apt/lists \
    --customize-hook='old=$(chroot "$1" apt-cache search --names-only "^linux-image-6\.1\.0-[0-9]+-cloud-amd64$" | sort -V | tail -1 | cut -d" " -f1)
      chroot "$1" apt-get install -q -y --no-install-recommends "$old"' \
    trixie "$work/root" 'deb http://deb.debian.org/debian trixie main' 'deb http://deb.debian.org/debian bookworm main' \
    >"$place/machine.log" 2>&1 || { tail -20 "$place/machine.log" >&2; exit 1; }
  rm -rf "$place"/boot && cp -r "$work/root/boot" "$place/boot"
  rm -rf "$work"/root/boot/* "$work"/root/var/lib/apt/lists/* "$work"/root/var/cache/apt/*
  echo vm >"$work/root/etc/hostname"
  mkdir -p "$work/root/opt/hoist"
  ln -s /opt/hoist/bin/hoist "$work/root/usr/local/bin/hoist"
  cat >"$work/root/etc/systemd/system/hoist-vm.service" <<'UNIT'
[Unit]
Description=Hoist's tests
After=multi-user.target
SuccessAction=poweroff-immediate
FailureAction=poweroff-immediate
[Service]
Type=oneshot
Environment=HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
ExecStart=/bin/sh -c 'exec >/dev/ttyS1 2>&1; mount -o ro /dev/vdb /opt/hoist && exec bash /opt/hoist/test/vm/inside.sh'
[Install]
WantedBy=graphical.target
UNIT
  mkdir -p "$work/root/etc/systemd/system/graphical.target.wants"
  ln -s ../hoist-vm.service "$work/root/etc/systemd/system/graphical.target.wants/"
  mkfs.ext4 -q -F -d "$work/root" "$place/machine.part" 3G >/dev/null
  mv "$place/machine.part" "$place/machine.ext4"
  echo "$packages" >"$place/machine.packages"
  rm -rf "$work"
fi

# Hoist as it is installed, on a disk of its own.
npm run --silent build
stage=$(mktemp -d "$place/hoist.XXXXXX")
trap 'rm -rf "$stage"' EXIT
cp -r --parents package.json bin dist test docs "$stage/"
# the real client, where this machine has a static one
if client=$(command -v docker) && [[ $(ldd "$client" 2>&1) = *"not a dynamic"* ]]; then cp "$(readlink -f "$client")" "$stage/docker"; fi
if [ -n "$suite" ]; then
  cp -r --parents src tsconfig*.json node_modules/{tsx,esbuild,@esbuild,get-tsconfig,resolve-pkg-maps} "$stage/" 2>/dev/null || true
fi
echo "$suite" >"$stage/suite"
echo "$only" >"$stage/only"
rm -f "$place/hoist.ext4"
mkfs.ext4 -q -F -d "$stage" "$place/hoist.ext4" 300M >/dev/null

failed=0
for kernel in $kernels; do
  image=$(find "$place/boot" -name "vmlinuz-$kernel[.-]*" | sort -V | tail -1)
  [ -n "$image" ] || { echo "vm: no kernel $kernel in $place/boot" >&2; exit 1; }
  echo "== ${image##*/vmlinuz-}"
  timeout --foreground 1800 qemu-system-x86_64 "${accel[@]}" -m 1500 -smp 2 -display none -monitor none -no-reboot -nic none \
    -kernel "$image" -initrd "${image/vmlinuz/initrd.img}" \
    -append 'root=/dev/vda rw console=ttyS0 quiet systemd.show_status=0 net.ifnames=0 mitigations=off panic=-1' \
    -drive "file=$place/machine.ext4,format=raw,if=virtio,snapshot=on" \
    -drive "file=$place/hoist.ext4,format=raw,if=virtio,readonly=on" \
    -serial "file:$place/console-$kernel.log" -serial stdio </dev/null | sed -u 's/\r$//' | tee "$place/result-$kernel.log" || true
  if ! grep -q '^vm: all well' "$place/result-$kernel.log"; then
    failed=1
    grep -q '^vm: ' "$place/result-$kernel.log" || tail -20 "$place/console-$kernel.log"
  fi
done
exit $failed
