# Other DNS servers that were installed as services of the host, now and at the next boot. They are not removed.
set -eu
if ! command -v systemctl >/dev/null || [ ! -d /run/systemd/system ]; then
    echo "systemd does not run here; nothing was looked for."
    exit 0
fi
stopped=
for unit in named bind9 unbound dnsmasq pdns pdns-recursor nsd knot knot-resolver; do
    if systemctl -q is-active "$unit.service"; then
        systemctl disable --now "$unit.service" 2>&1
        stopped="$stopped $unit"
    fi
done
echo "${stopped:+Stopped and disabled:$stopped. To have them back: systemctl enable --now}${stopped:-No other DNS server runs as a service.}"
