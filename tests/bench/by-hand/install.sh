#!/usr/bin/env bash
# DNS with monitor and agent on one host, as an engineer who does this every week would script it: every step of an install, over
# one multiplexed connection that it opens itself, with what does not depend on each other at the same time.
#
# install.sh ADDRESS FOLDER: the folder has `key` and `known_hosts`, `tree.tar` (what is written below /var/lib/managed-servers),
# the images' archives `knot.tar.gz` and `monitor.tar.gz`, and `settings`: knot_image, monitor_image, digest (of the configuration),
# zone, api_host, api_port, and the labels of the containers.
set -euo pipefail

address=$1 folder=$2
. "$folder/settings"
control=$(mktemp -d)
ssh=(ssh -F none -i "$folder/key" -o BatchMode=yes -o UserKnownHostsFile="$folder/known_hosts"
    -o ControlMaster=auto -o ControlPath="$control/%C" -o ControlPersist=60 "root@$address")
trap '"${ssh[@]}" -O exit 2> /dev/null; rm -rf "$control"' EXIT

# Is the host ready? Nothing is changed.
"${ssh[@]}" sh -s -- "$(date +%s)" "$api_host" "$api_port" << 'END'
set -eu
[ "$(id -u)" -eq 0 ] && [ "$(uname -m)" = x86_64 ]
python3 -c 'import sys; sys.exit(sys.version_info < (3, 6))'
docker version --format '{{.Server.Version}}' > /dev/null
[ ! -e /var/lib/managed-servers/agent/agent.json ]
for d in /var/lib/docker /var/lib; do [ "$(df -Pk "$d" | awk 'NR == 2 { print $4 }')" -gt 307200 ]; done
[ "$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)" -gt 131072 ]
[ -z "$(ss -Hlntu 'sport = :53')" ]
offset=$(($(date +%s) - $1)); [ "${offset#-}" -le 30 ]
python3 -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 10).close()' "$2" "$3"
END

# Images and files, side by side.
"${ssh[@]}" docker load -q < "$folder/knot.tar.gz" > "$control/knot" & knot=$!
"${ssh[@]}" docker load -q < "$folder/monitor.tar.gz" > "$control/monitor" & monitor=$!
"${ssh[@]}" 'set -e; umask 077; cd /var/lib; mkdir -p managed-servers; cd managed-servers
    mkdir -p dns/config dns/data dns/run tap monitor agent; tar -x --no-same-owner; sync -f .' < "$folder/tree.tar"
wait "$knot"; wait "$monitor"

# Checked by the very image that will serve it, switched, started, and kept under watch until the first heartbeat has been taken.
cat "$folder/settings" - << 'END' | "${ssh[@]}" sh -s
set -eu
knot=$knot_image monitor=$monitor_image root=/var/lib/managed-servers
confined='--network host --read-only --cap-drop ALL --security-opt no-new-privileges --pids-limit 256 --restart always
    --user 0:0 --log-driver json-file --log-opt max-size=10m --log-opt max-file=3 --tmpfs /tmp:size=16m,mode=1777'
check="docker run --rm --network none --read-only --cap-drop ALL --security-opt no-new-privileges --tmpfs /tmp --tmpfs /run -v $root/dns/config/$digest:/etc/knot:ro"
$check --entrypoint /usr/sbin/knotc "$knot" -c /etc/knot/knot.conf conf-check > /dev/null & a=$!
$check --entrypoint /usr/bin/kzonecheck "$knot" -o "$zone." "/etc/knot/zones/$zone.zone" > /dev/null & b=$!
wait $a; wait $b

cd $root/dns/config
ln -sfn current/knot.conf knot.conf; ln -sfn current/zones zones
ln -sfn "$digest" current.new; mv -T current.new current

docker run -d --name managed-servers-monitor $confined $monitor_labels --memory 128m \
    -v $root/monitor:/var/lib/monitor -v $root/dns/run:/run/knot -v $root/tap:/run/tap "$monitor" > /dev/null
python3 -c '
import socket, sys, time
for n in range(600):
    try:
        socket.socket(socket.AF_UNIX).connect(sys.argv[1])
        break
    except OSError:
        time.sleep(0.05)
else:
    sys.exit("the monitor does not listen")' $root/tap/tap.sock
docker run -d --name managed-servers-dns $confined $knot_labels --cap-add NET_BIND_SERVICE --memory 512m \
    -v $root/dns/config:/etc/knot:ro -v $root/dns/data:/var/lib/knot -v $root/dns/run:/run/knot -v $root/tap:/run/tap "$knot" > /dev/null

: > $root/agent/started
python3 $root/agent/agent.py install > /dev/null
n=0; until [ $root/agent/spool/state -nt $root/agent/started ]; do n=$((n + 1)); [ $n -lt 1500 ]; sleep 0.05; done
rm $root/agent/started
END

# From outside, over UDP and TCP.
for way in +notcp +tcp; do
    for n in {1..200}; do
        answer=$(kdig "@$address" "$zone" SOA "$way" +short +norec +retry=0 +timeout=2 2> /dev/null || true)
        [[ "$answer" != *" "* ]] || continue 2
        sleep 0.05
    done
    echo "no SOA of $zone ($way)" >&2
    exit 1
done
