#!/bin/sh
# Makes a Debian system for arm64, or finds the one that was made of the same packages before: root.sh CACHE CONTROL prints the path of a directory
# with disk, vmlinuz and initrd. CONTROL has the programs of the guest's control port.
#
# It wants to be root of a user namespace with all the users that a system has. The packages' own scripts run here, by qemu-user, which is a tenth
# of what they take in an emulated machine; to have it start programs for arm64 is the namespace's own setting, not the machine's.
set -eu
cache=$1 control=$2

if ! { mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && cat /usr/lib/binfmt.d/qemu-aarch64.conf >/proc/sys/fs/binfmt_misc/register; } &&
	[ ! -e /proc/sys/fs/binfmt_misc/qemu-aarch64 ]; then
	echo "root.sh: programs for arm64 cannot be run: this wants Linux 6.7, or binfmt_misc set up by the machine's root" >&2
	exit 1
fi

temp=$(mktemp -d "$cache/building-XXXXXX")
trap 'rm -rf "$temp"' EXIT
root=$temp/root

# The initramfs has the drivers of this machine alone: to choose among all takes minutes.
initramfs='cd "$1" && mkdir -p etc/initramfs-tools/conf.d usr/share/initramfs-tools/modules.d &&
	echo MODULES=list >etc/initramfs-tools/conf.d/machine &&
	printf "%s\n" virtio_pci virtio_blk ext4 crc32c_generic >usr/share/initramfs-tools/modules.d/machine'
debian() { # mmdebstrap's check/qemu would want one more program to be installed, to see what was set above
	mmdebstrap --mode=root --skip=check/qemu --architectures=arm64 --variant=apt \
		--include=linux-image-arm64,systemd-sysv,udev,dbus,iproute2,openssh-server,busybox-static --essential-hook="$initramfs" "$@"
}
debian --simulate --verbose bookworm /dev/null >"$temp/plan" 2>&1 || { cat "$temp/plan" >&2; exit 1; }
key=$({ cat "$0" "$control"/*; grep '^Inst ' "$temp/plan" | sort; } | sha256sum | cut -c1-16)
made=$cache/$key
if [ -e "$made" ]; then
	echo "$made"
	exit
fi

debian bookworm "$root" >&2
echo raspberrypi >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 raspberrypi\n' >"$root/etc/hosts"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
mkdir "$root/usr/lib/minato-guest"
install -m 0755 "$control"/* "$root/usr/lib/minato-guest"
cat >"$root/etc/systemd/system/minato-guest.service" <<'END'
[Unit]
Description=Control port of the test bench

[Service]
ExecStart=/usr/lib/minato-guest/control

[Install]
WantedBy=multi-user.target
END
ln -s ../minato-guest.service "$root/etc/systemd/system/multi-user.target.wants/"

mkdir "$temp/made"
cp "$root"/boot/vmlinuz-* "$temp/made/vmlinuz"
cp "$root"/boot/initrd.img-* "$temp/made/initrd"
PATH=$PATH:/usr/sbin mke2fs -q -t ext4 -d "$root" "$temp/made/disk" 1500M >&2
find "$cache" -mindepth 1 -maxdepth 1 ! -name 'building-*' -exec rm -r {} + # of older packages
mv "$temp/made" "$made"
echo "$made"
