# Everything that the product keeps on the host, without what a running container writes by the second. The five newest are kept.
set -eu
folder=$MANAGED_SERVERS_FOLDER
if [ ! -d "$folder" ]; then
    echo "There is no $folder yet: nothing to back up."
    exit 0
fi
umask 077
target=/var/backups/managed-servers
if ! mkdir -p "$target" 2>/dev/null || [ ! -w "$target" ]; then
    target=$HOME/managed-servers-backups
    mkdir -p "$target"
fi
file=$target/$(date -u +%Y%m%dT%H%M%SZ)-$MANAGED_SERVERS_RUN_ID.tar.gz
# 1 says that a file changed while it was read, as a spool does.
tar -C "$(dirname "$folder")" --exclude='*/run' --exclude='*/tap' --exclude='*/commands' -czf "$file.new" "$(basename "$folder")" || [ $? -eq 1 ]
mv "$file.new" "$file"
# shellcheck disable=SC2012
ls -1t "$target"/*.tar.gz | tail -n +6 | while read -r old; do rm -f "$old"; done
echo "$file, $(wc -c <"$file") bytes."
