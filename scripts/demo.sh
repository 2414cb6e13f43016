# shellcheck shell=bash
# The product's main job, from nothing to a table of hits, with real parts.

readonly host_name=demo1 zone=example.org
readonly patience=120

run_demo() {
    local once=false
    case "${1:-}" in
        '') ;;
        --once) once=true ;;
        *) fail "demo knows --once, not $1" ;;
    esac
    need mmdebstrap postgres kdig pgrep
    begin
    exec 7> "$artifacts/.demo.lock"
    flock -n 7 || fail "a demo of this checkout is running already"
    need_docker
    build "$without_tests" --load

    local data
    data=$(data_folder demo)
    own folder "$data"
    rm -rf "${data:?}"
    mkdir -p "$data"
    bring_up_lab
    bring_up_product
    install_dns
    ask_and_count
    show_result
    if $once; then
        end_all "$record"
        echo "demo ok install=${install_seconds} answers=$answers/$asked hits=$hits heartbeats=$heartbeats"
    else
        echo "It stays until Ctrl-C."
        attend sleep infinity
    fi
}

step() {
    printf '\n== %s\n' "$*"
}

bring_up_lab() {
    step "A host: a container with SSH, Python 3 and its own Docker engine"
    local described
    own lab "$lab"
    described=$(attend dotnet "$lab" up "$host_name" $$) || fail "the lab host did not come up"
    host_address=$(field address <<< "$described")
    gateway=$(field gateway <<< "$described")
    (umask 077 && field password <<< "$described" > "$data/host-password")
    echo "$host_name at $host_address"
}

bring_up_product() {
    step "The product, with a private PostgreSQL"
    local port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("", 0)); print(s.getsockname()[1])')
    url="https://127.0.0.1:$port"
    start_product "$data/product" "$url" "https://$gateway:$port"
    export MSCTL_URL=$url MSCTL_USER=admin MSCTL_PASSWORD_FILE="$data/product/admin-password" MSCTL_CA="$data/product/ca.pem"
    echo "dashboard $url (user admin, password in $MSCTL_PASSWORD_FILE)"
}

install_dns() {
    step "Add the host and install DNS and the monitor on it"
    # The host's SSH port answers already; a key that is shown to nobody who could compare it is accepted in a demo alone.
    msctl servers add "$host_name" --address "$host_address" --ssh-user root --ssh-password-file "$data/host-password" \
        --accept-host-key shown
    local from=$SECONDS
    msctl servers install "$host_name" --components dns,monitor --zone "$zone=$root/scripts/demo.zone" --watch
    install_seconds=$((SECONDS - from))
}

ask_and_count() {
    step "Ask it over UDP and TCP"
    await "the collector is connected" collector_is_connected
    local before
    before=$(count_hits)
    asked=0 answers=0
    ask +notcp
    ask +tcp
    ask +notcp
    echo "$answers of $asked questions answered"
    [ "$answers" -eq "$asked" ] || fail "$((asked - answers)) of $asked questions got no answer from $host_address"
    await "the hits are counted" hits_reach "$((before + answers))"
    hits=$(($(count_hits) - before))
    await "a heartbeat has come" has_heartbeat
}

show_result() {
    step "What was asked for"
    msctl hits "$host_name"
    step "Look around"
    echo "dashboard      $url"
    echo "user           admin, password in $MSCTL_PASSWORD_FILE"
    echo "command line   export MSCTL_URL=$MSCTL_URL MSCTL_USER=admin MSCTL_PASSWORD_FILE='$MSCTL_PASSWORD_FILE' MSCTL_CA='$MSCTL_CA'"
    echo "the host       $host_name, root at $host_address, password in $data/host-password"
}

# Every name of the zone once, each answer counted.
ask() {
    local questions=(
        "$zone" SOA "$zone" NS "$zone" MX "$zone" TXT "www.$zone" A "www.$zone" AAAA
        "mail.$zone" A "ftp.$zone" CNAME "ns1.$zone" A "_sip._tcp.$zone" SRV
    )
    local got
    got=$(attend kdig "@$host_address" +timeout=2 +retry=2 "$1" "${questions[@]}" | grep -c 'ANSWER: [1-9]') || true
    asked=$((asked + ${#questions[@]} / 2))
    answers=$((answers + got))
}

msctl() {
    attend dotnet "$root/cli/bin/$configuration/net10.0/msctl.dll" "$@"
}

collector_is_connected() {
    [ "$(msctl -o json hits "$host_name" | field coverage connected)" = true ]
}

count_hits() {
    msctl -o json hits "$host_name" --limit 200 | python3 -c 'import json, sys; print(sum(i["count"] for i in json.load(sys.stdin)["items"]))'
}

hits_reach() {
    [ "$(count_hits)" -ge "$1" ]
}

has_heartbeat() {
    heartbeats=$(msctl -o json heartbeats "$host_name" | field summary total)
    [ "$heartbeats" -ge 1 ]
}

# await WHAT COMMAND...: until it succeeds.
await() {
    local what=$1 until=$((SECONDS + patience))
    shift
    until "$@"; do
        [ "$SECONDS" -lt "$until" ] || fail "after $patience s it is still not so that $what"
        sleep 0.5
    done
}

# field NAME...: a value inside the JSON on standard input, as JSON writes it but without quotes.
field() {
    python3 -c '
import functools, json, sys
value = functools.reduce(lambda inner, name: inner[name], sys.argv[1:], json.load(sys.stdin))
print(value if isinstance(value, str) else json.dumps(value))' "$@"
}
