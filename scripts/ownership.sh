# shellcheck shell=bash
# What a run starts, it ends: by id, also after Ctrl-C, a failure or, by the next run, a SIGKILL. Each run has a record
# with one line for each thing; the records of all checkouts lie together, because they share one Docker engine.

state=/run/managed-servers-run
[ "$(id -u)" -eq 0 ] || state="${XDG_RUNTIME_DIR:-/tmp}/managed-servers-run-$(id -u)"
readonly state="${MANAGED_SERVERS_RUN_STATE:-$state}" # of their own for the tests of this script
record=

# Called first by every command that starts something.
begin() {
    mkdir -p "$state" "$artifacts"
    chmod 0700 "$state"
    record="$state/$$.$(start_time $$)"
    exec 9> "$state/.lock"
    flock 9
    : > "$record"
    clear_after_killed
    flock -u 9
    trap finish EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

finish() {
    local status=$?
    trap '' INT TERM HUP
    trap - EXIT
    end_all "$record"
    flock 9
    rm -f "$record"
    stop_docker_if_last
    flock -u 9
    exit "$status"
}

# own KIND ID...: remembers a thing to end.
own() {
    echo "$*" >> "$record"
}

# In a session of its own: whatever it starts in turn can be ended with it. In the background: bash answers a signal
# while it waits, but not while something runs in front. bash has background commands ignore Ctrl-C, which their
# children would inherit; env undoes that. `started` is its process id.
start() {
    setsid env --default-signal=INT,QUIT "$@" 7>&- 9>&- &
    started=$!
    own process "$started" "$(start_time "$started")"
}

attend() {
    start "$@"
    local status=0
    wait "$started" || status=$?
    end_group "$started"
    return "$status"
}

# When the machine started the process, or nothing when it has ended: a number alone may be another's by now.
start_time() {
    sed -n 's/.*) \([^Z]\)/\1/p' "/proc/$1/stat" 2> /dev/null | cut -d ' ' -f 20
}

is_alive() {
    [ -n "$2" ] && [ "$(start_time "$1")" = "$2" ]
}

clear_after_killed() {
    local file name
    for file in "$state"/*.*; do
        name=$(basename "$file")
        if [ -f "$file" ] && ! is_alive "${name%.*}" "${name#*.}"; then
            end_all "$file"
            rm -f "$file"
        fi
    done
}

# The latest first: a product before the host that it talks to.
end_all() {
    local kind id rest
    while read -r kind id rest; do
        case "$kind" in
            process) ! is_alive "$id" "$rest" || end_process "$id" "$rest" ;;
            postgres) end_postgres "$id${rest:+ $rest}" ;;
            idle-postgres) end_idle_postgres "$id${rest:+ $rest}" ;;
            folder) rm -rf -- "${id:?}${rest:+ $rest}" ;;
            lab) empty_lab "$1" "$id${rest:+ $rest}" ;;
        esac
    done < <(tac "$1")
    : > "$1"
}

end_process() {
    kill -TERM -- "-$1" 2> /dev/null || return 0
    local tries
    for ((tries = 0; tries < 300; tries++)); do
        is_alive "$1" "$2" || break
        sleep 0.1
    done
    end_group "$1"
}

# What is left of a session whose leader has ended, such as the compiler's server. The kernel takes a moment over it, in
# which a port or a folder is still held.
end_group() {
    kill -KILL -- "-$1" 2> /dev/null || return 0
    local tries
    for ((tries = 0; tries < 100; tries++)); do
        pgrep --pgroup "$1" --runstates R,S,D,T > /dev/null || break
        sleep 0.1
    done
}

# The product ends its private PostgreSQL itself; this is for a product that was killed.
end_postgres() {
    local pid
    pid=$(head -n 1 "$1/postmaster.pid" 2> /dev/null) || return 0
    if [ "$(readlink "/proc/$pid/cwd")" = "$1" ]; then
        kill -INT "$pid"
        tail --pid="$pid" -f /dev/null
    fi
}

# A killed product leaves it behind; one that ends by itself has ended it, unless another node works with it.
end_idle_postgres() {
    local pid tries
    pid=$(head -n 1 "$1/postmaster.pid" 2> /dev/null) || return 0
    for ((tries = 0; tries < 50; tries++)); do
        pgrep -P "$pid" -f '\[local\]' > /dev/null || { end_postgres "$1"; return; }
        sleep 0.1
    done
}

# Every host of the run that the record is of, also one whose id it never learned.
empty_lab() {
    local run
    run=$(basename "$1")
    dotnet "$2" clean "${run%.*}" || echo "run: lab hosts could not be removed; the next run tries again" >&2
}
