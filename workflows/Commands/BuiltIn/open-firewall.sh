# Lets clients in, by whichever firewall is at work on the host, now and after a reboot where the firewall can keep it.
set -eu
open_iptables() {
    "$1" -C INPUT -p "$3" --dport "$2" -j ACCEPT 2>/dev/null || "$1" -I INPUT -p "$3" --dport "$2" -j ACCEPT
}
if command -v firewall-cmd >/dev/null && firewall-cmd --state >/dev/null 2>&1; then
    for port in $PORTS; do
        firewall-cmd -q --permanent --add-port="$port"
        firewall-cmd -q --add-port="$port"
    done
    echo "firewalld lets in $PORTS."
elif command -v ufw >/dev/null && ufw status | grep -q '^Status: active'; then
    for port in $PORTS; do
        ufw allow "$port" >/dev/null
    done
    echo "ufw lets in $PORTS."
elif command -v iptables >/dev/null && iptables -S INPUT | grep -Eq '^-P INPUT (DROP|REJECT)|-j (DROP|REJECT)'; then
    for port in $PORTS; do
        open_iptables iptables "${port%/*}" "${port#*/}"
        if command -v ip6tables >/dev/null && ip6tables -S INPUT >/dev/null 2>&1; then
            open_iptables ip6tables "${port%/*}" "${port#*/}"
        fi
    done
    echo "iptables lets in $PORTS, until the next reboot: keep it with what the host keeps its rules with (netfilter-persistent save)."
elif command -v nft >/dev/null && nft list chain inet filter input 2>/dev/null | grep -Eq 'policy drop|drop$|reject'; then
    for port in $PORTS; do
        rule="${port#*/} dport ${port%/*} accept"
        nft list chain inet filter input | grep -q "$rule" || nft insert rule inet filter input "${port#*/}" dport "${port%/*}" accept
    done
    echo "nftables lets in $PORTS, until the next reboot: put it into /etc/nftables.conf to keep it."
else
    echo "No firewall is at work that would keep anybody out."
fi
