#!/bin/sh
# Installs the programs that the scenarios use as independent peers (Debian packages), where that is possible: as root, or through sudo
# without a password. What is still missing afterwards fails the call when CI=true; elsewhere the scenarios that need it are skipped by name.
set -eu

# program:package
peers='
stunnel:stunnel4
ssh:openssh-client
sshd:openssh-server
ping:iputils-ping
ip:iproute2
slirp-fullbolt:slirp
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
qemu-io:qemu-utils
dpkg-deb:dpkg
fakeroot:fakeroot
lintian:lintian
systemd-analyze:systemd
deb-systemd-helper:init-system-helpers
mke2fs:e2fsprogs
gcc-12:gcc-12
xz:xz-utils
Xtigervnc:tigervnc-standalone-server
xtigervncviewer:tigervnc-viewer
xwud:x11-apps
Xvfb:xvfb
xvfb-run:xvfb
xauth:xauth
xdotool:xdotool
mbpoll:mbpoll
xfreerdp:freerdp2-x11
xrdp:xrdp
scp:openssh-client
openssl:openssl
sslscan:sslscan
chromium:chromium
/usr/share/fonts/truetype/vlgothic/VL-Gothic-Regular.ttf:fonts-vlgothic
haproxy:haproxy
nginx:nginx
/usr/lib/nginx/modules/ngx_stream_module.so:libnginx-mod-stream
'
peers="$peers $*" # and what the caller needs beside
PATH=$PATH:/usr/sbin # where Debian keeps daemons

missing() {
	for peer in $peers; do
		case "$peer" in
		/*) [ -e "${peer%%:*}" ] ;;
		*) command -v "${peer%%:*}" >/dev/null 2>&1 ;;
		esac || echo "${peer##*:}"
	done | sort -u
}

wanted=$(missing)
if [ -n "$wanted" ] && command -v apt-get >/dev/null 2>&1; then
	root=''
	[ "$(id -u)" = 0 ] || root='sudo -n'
	if [ -z "$root" ] || sudo -n true 2>/dev/null; then
		echo "setup: installing" $wanted >&2
		export DEBIAN_FRONTEND=noninteractive
		# Tests start these by themselves; the machine is not to serve anything because of them.
		for daemon in openssh-server:ssh haproxy:haproxy nginx:nginx xrdp:xrdp xrdp:xrdp-sesman modemmanager:ModemManager; do
			case " $(echo $wanted) " in
			*" ${daemon%%:*} "*)
				echo "setup: masking ${daemon##*:}.service; to have it run here: systemctl unmask ${daemon##*:}" >&2
				$root mkdir -p /etc/systemd/system && $root ln -sf /dev/null "/etc/systemd/system/${daemon##*:}.service"
				;;
			esac
		done
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
