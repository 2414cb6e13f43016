# systemd-resolved listens on port 53 of a loopback address for the programs of the host. Without that listener it goes on resolving for them.
set -eu
held() { ss -Hlnup 'sport = :53' | grep -q systemd-resolve; }
if ! held; then
    echo "systemd-resolved does not hold port 53."
    exit 0
fi
mkdir -p /etc/systemd/resolved.conf.d
printf '[Resolve]\nDNSStubListener=no\n' >/etc/systemd/resolved.conf.d/managed-servers.conf
if [ "$(readlink -f /etc/resolv.conf)" = /run/systemd/resolve/stub-resolv.conf ]; then
    # It names the listener; the other file names the servers that systemd-resolved asks.
    ln -sfn /run/systemd/resolve/resolv.conf /etc/resolv.conf
fi
systemctl restart systemd-resolved
tries=0
while held; do
    tries=$((tries + 1))
    if [ "$tries" -ge 50 ]; then
        echo "systemd-resolved still holds port 53. See: resolvectl status; journalctl -u systemd-resolved"
        exit 1
    fi
    sleep 0.2
done
echo "Port 53 is free: systemd-resolved goes on without its listener (/etc/systemd/resolved.conf.d/managed-servers.conf)."
