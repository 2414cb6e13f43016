# shellcheck shell=bash
# A Docker engine: the one that answers, or one that is started here and ended with the last run that uses it.

readonly docker_record="$state/dockerd"

need_docker() {
    need docker
    flock 9
    docker_answers || start_docker
    flock -u 9
}

docker_answers() {
    docker version --format '{{.Server.Version}}' > /dev/null 2>&1
}

start_docker() {
    [ -z "${DOCKER_HOST:-}" ] || fail "no Docker engine answers at $DOCKER_HOST"
    [ "$(id -u)" -eq 0 ] || fail "no Docker engine answers to $(id -un): start it (sudo systemctl start docker) and join the group docker, or run this as root"
    # A machine may have Docker's command line without the engine.
    need dockerd

    local log="$artifacts/dockerd.log"
    setsid dockerd > "$log" 2>&1 9>&- &
    local pid=$!
    echo "$pid $(start_time "$pid")" > "$docker_record"
    until docker_answers; do
        kill -0 "$pid" 2> /dev/null || { tail -n 20 "$log" >&2; fail "dockerd did not start (all it said: $log)"; }
        sleep 0.2
    done
}

# Another checkout's run may still use it; with the last run it ends.
stop_docker_if_last() {
    local pid time
    [ -e "$docker_record" ] && ! compgen -G "$state/*.*" > /dev/null || return 0
    if [ -n "$(docker ps -q 2> /dev/null)" ]; then
        echo "run: the Docker engine goes on, because containers of others run in it" >&2
        return 0
    fi
    read -r pid time < "$docker_record"
    if is_alive "$pid" "$time"; then
        kill -TERM "$pid"
        while is_alive "$pid" "$time"; do
            sleep 0.1
        done
    fi
    rm -f "$docker_record"
}
