#!/bin/sh
# Installs the programs that the scenarios use as independent peers (Debian packages), where that is possible: as root, or through sudo
# without a password. What is still missing afterwards fails the call when CI=true; elsewhere the scenarios that need it are skipped by name.
set -eu

# program:package
peers='
stunnel:stunnel4
ssh:openssh-client
curl:curl
qemu-arm-static:qemu-user-static
tshark:tshark
gammu:gammu
ModemManager:modemmanager
mmcli:modemmanager
dbus-daemon:dbus-daemon
dbus-send:dbus-bin
chat:ppp
qemu-system-x86_64:qemu-system-x86
dpkg-deb:dpkg
gcc-12:gcc-12
xz:xz-utils
'
PATH=$PATH:/usr/sbin # where Debian keeps daemons

missing() {
	for peer in $peers; do
		command -v "${peer%%:*}" >/dev/null 2>&1 || echo "${peer##*:}"
	done | sort -u
}

wanted=$(missing)
if [ -n "$wanted" ] && command -v apt-get >/dev/null 2>&1; then
	root=''
	[ "$(id -u)" = 0 ] || root='sudo -n'
	if [ -z "$root" ] || sudo -n true 2>/dev/null; then
		echo "setup: installing" $wanted >&2
		export DEBIAN_FRONTEND=noninteractive
		# shellcheck disable=SC2086 # one word a package
		{ $root apt-get update -qq && $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted; } >&2 ||
			echo "setup: apt-get failed" >&2
	fi
fi

wanted=$(missing)
if [ -n "$wanted" ]; then
	echo "setup: not installed:" $wanted >&2
	echo "setup: install them (apt-get install" $wanted") to run the scenarios that need them" >&2
	[ "${CI:-}" != true ] || exit 1
fi
