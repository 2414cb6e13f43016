# Every file system that /etc/fstab wants mounted at boot.
set -eu
missing() {
    [ -r /etc/fstab ] || return 0
    while read -r device folder kind options rest; do
        case $device in '' | '#'*) continue ;; esac
        case $kind in swap | none) continue ;; esac
        case ,$options, in *,noauto,*) continue ;; esac
        mountpoint -q "$(printf %b "$folder")" || printf '%s ' "$folder"
    done </etc/fstab
}
while left=$(missing) && [ -n "$left" ]; do
    if [ "${said:-}" != "$left" ]; then
        echo "Not mounted yet: $left"
        said=$left
    fi
    sleep 1
done
echo "All of /etc/fstab is mounted."
