#!/usr/bin/env bash
# One changed record by hand: checks the zone with the very image that serves it, puts it in place, reloads, asks until it is answered.
#
# apply.sh ADDRESS FOLDER ZONE-FILE NAME VALUE: the folder as install.sh has it, with the control socket of an open connection in `control`.
set -euo pipefail

address=$1 folder=$2 file=$3 name=$4 value=$5
. "$folder/settings"
ssh=(ssh -F none -o BatchMode=yes -o ControlPath="$folder/control" "root@$address")
"${ssh[@]}" 'set -e; umask 077; mkdir -p /var/lib/managed-servers/dns/by-hand; cat > "/var/lib/managed-servers/dns/by-hand/'"$zone"'.zone"' < "$file"
"${ssh[@]}" sh -s -- "$knot_image" "$zone" << 'END'
set -eu
cd /var/lib/managed-servers/dns
docker run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp --tmpfs /run -v "$PWD/by-hand:/zones:ro" \
    --entrypoint /usr/bin/kzonecheck "$1" -o "$2." "/zones/$2.zone" > /dev/null
sync -f by-hand
mv "by-hand/$2.zone" "config/current/zones/$2.zone"
docker exec managed-servers-dns /usr/sbin/knotc -s /run/knot/knot.sock -b zone-reload "$2" > /dev/null
END
for n in {1..400}; do
    [ "$(kdig "@$address" "$name" A +short +norec +retry=0 +timeout=2 2> /dev/null || true)" != "$value" ] || exit 0
    sleep 0.02
done
echo "$name is not answered with $value" >&2
exit 1
