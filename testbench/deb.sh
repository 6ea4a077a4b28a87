#!/bin/sh
# Makes a Debian package of a program: testbench/deb.sh FOLDER ARCH PROGRAM OUT, from FOLDER/packaging (control, maintainer scripts, and under
# root/ the files as they are installed), FOLDER/reference.yaml and the built program. The package is the same, byte for byte, for the same commit.
# VERSION and SOURCE_DATE_EPOCH (seconds) are taken from the environment, else from the last commit.
set -eu

folder=$1 arch=$2 program=$3 out=$4
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}"
date=$(date -u -d "@$SOURCE_DATE_EPOCH" +%Y%m%d.%H%M%S)
version=${VERSION:-0~$date+$(git rev-parse --short=10 HEAD)}
export DPKG_DEB_COMPRESSOR_TYPE="${DPKG_DEB_COMPRESSOR_TYPE:-xz}" # which older systems read, too

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
name=$(sed -n 's/^Package: //p' "$folder/packaging/control")
doc=$stage/usr/share/doc/$name

cp -R "$folder/packaging/root/." "$stage"
find "$stage" -type d -exec chmod 0755 {} +
find "$stage" -type f -exec chmod 0644 {} +
install -D -m 0755 "$program" "$stage/usr/bin/$name"
[ ! -f "$folder/reference.yaml" ] || install -m 0644 "$folder/reference.yaml" "$doc/"
printf '%s (%s) unstable; urgency=medium\n\n  * As of this commit.\n\n -- %s  %s\n' "$name" "$version" \
	"$(sed -n 's/^Maintainer: //p' "$folder/packaging/control")" "$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")" | gzip -9n >"$doc/changelog.gz"

mkdir "$stage/DEBIAN"
(cd "$stage" && find . -path ./DEBIAN -prune -o -type f -printf '%P\n' | LC_ALL=C sort | xargs md5sum) >"$stage/DEBIAN/md5sums"
if [ -d "$stage/etc" ]; then
	(cd "$stage" && find etc -type f -printf '/%p\n' | LC_ALL=C sort) >"$stage/DEBIAN/conffiles"
fi
for script in preinst postinst prerm postrm; do
	[ ! -f "$folder/packaging/$script" ] || install -m 0755 "$folder/packaging/$script" "$stage/DEBIAN/"
done
size=$(cd "$stage" && find . -path ./DEBIAN -prune -o -type f -printf '%s\n' | awk '{kib += int(($1 + 1023) / 1024)} END {print kib}')
sed "s/@VERSION@/$version/; s/@ARCH@/$arch/; s/@SIZE@/$size/" "$folder/packaging/control" >"$stage/DEBIAN/control"
chmod 0644 "$stage"/DEBIAN/control "$stage"/DEBIAN/md5sums

find "$stage" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
dpkg-deb --root-owner-group --build "$stage" "$out/${name}_${version}_$arch.deb" >/dev/null
echo "$out/${name}_${version}_$arch.deb"
