# Room for images, zones and logs: 1 GiB where Docker keeps its own, and where the product keeps its own.
set -eu
short=0
for folder in "$(docker info --format '{{.DockerRootDir}}' 2>/dev/null || echo /var/lib/docker)" "$MANAGED_SERVERS_FOLDER"; do
    while [ ! -d "$folder" ]; do folder=$(dirname "$folder"); done
    free=$(df -Pk "$folder" | awk 'NR == 2 { print $4 }')
    echo "$((free / 1024)) MiB are free below $folder."
    [ "$free" -ge $((1024 * 1024)) ] || short=1
done
if [ "$short" -ne 0 ]; then
    echo "At least 1024 MiB are needed in each: make room, for example with docker image prune."
    exit 1
fi
