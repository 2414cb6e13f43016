# shellcheck shell=bash
# The product as a process of this machine.

readonly product="$root/api/bin/$configuration/net10.0/managed-servers.dll"

run_serve() {
    need mmdebstrap postgres pgrep
    begin
    build "$without_tests"
    local images=(--images "$artifacts/images")
    [[ " $* " != *" --images"* ]] || images=()
    own idle-postgres "$(served_data "$@")/postgres"
    attend dotnet "$product" serve "${images[@]}" "$@"
}

# served_data OPTION...: the folder in which `serve` keeps its private PostgreSQL; the default is that of `managed-servers serve`.
served_data() {
    local data=/var/lib/managed-servers-product
    while [ $# -gt 0 ]; do
        case "$1" in
            --data) data=${2:-$data} ;;
            --data=* | --data:*) data=${1#--data?} ;;
        esac
        shift
    done
    realpath -m -- "$data"
}

# data_folder NAME: below artifacts/, unless the private PostgreSQL's user cannot get there (a checkout in /root).
data_folder() {
    local folder="$artifacts/$1" checkout
    if [ "$(id -u)" -eq 0 ] && ! setpriv --reuid=nobody --clear-groups test -x "$root"; then
        checkout=$(printf '%s' "$root" | sha256sum)
        folder="/var/tmp/managed-servers-${checkout:0:12}/$1"
    fi
    mkdir -p "$folder"
    echo "$folder"
}

# start_product DATA ADDRESS...: returns when it serves; the first address is the one to use here.
start_product() {
    local data=$1 log="$artifacts/product.log" listen=() address
    shift
    for address in "$@"; do
        listen+=(--listen "$address")
    done
    mkdir -p "$data"
    own postgres "$data/postgres"
    start dotnet "$product" serve --data "$data" --images "$artifacts/images" "${listen[@]}" --api-address "${*: -1}" > "$log" 2>&1
    until [ -e "$data/ready" ]; do
        kill -0 "$started" 2> /dev/null || { tail -n 20 "$log" >&2; fail "the product did not start (all it said: $log)"; }
        sleep 0.1
    done
}
