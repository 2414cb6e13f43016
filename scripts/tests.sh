# shellcheck shell=bash
# All tests, on real parts; the last line is the sum over all projects.

run_tests() {
    need mmdebstrap postgres kdig kzonecheck ssh chromium csh fish pgrep
    begin
    need_docker
    build "$everything" --load

    local results="$artifacts/tests" name
    rm -rf "$results"
    mkdir -p "$results"
    export TESTCONTAINERS_RYUK_DISABLED=true # its image cannot be had everywhere; the tests remove what they start
    # Most processes of the tests live for a moment: what they measure of themselves to become faster later is lost on them.
    # They become faster only after ten seconds (hexadecimal ms) without new code.
    export DOTNET_TieredPGO=0 DOTNET_TC_CallCountingDelayMs=2710
    # Code that is never both writable and executable costs a tenth of a start. Outside the tests the product keeps to it.
    export DOTNET_EnableWriteXorExecute=0
    # Their threads wait for work without spinning, which would take time from the others.
    export DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0
    own lab "$lab"
    # The longest first, and another one beside it: alone each leaves half of the machine waiting.
    local projects=("$root"/tests/{api,engine,workflows,dashboard,cli,lab/tests}) at_once=2 filter=${1:+FullyQualifiedName~$1} settings=() silence=10m
    if [ "${1:-}" = chaos ]; then
        projects=("$root"/tests/{engine,api}) at_once=1 silence=20m
        filter=Category=Chaos
        export MANAGED_SERVERS_CHAOS=full
        # One after another: how late a node is at work again would be measured together with its neighbours.
        settings=(-- xUnit.ParallelizeTestCollections=false)
    fi
    if [ "${1:-}" = matrix ]; then
        projects=("$root"/tests/{api,workflows}) at_once=1
        filter=Category=Matrix
        export MANAGED_SERVERS_MATRIX=full
        silence=2h
    fi
    local -A running=()
    local ended status
    while [ ${#projects[@]} -gt 0 ] || [ ${#running[@]} -gt 0 ]; do
        while [ ${#projects[@]} -gt 0 ] && [ ${#running[@]} -lt "$at_once" ]; do
            start_project "${projects[0]}" "$results" "$filter" "${settings[@]}"
            running[$started]=$name
            projects=("${projects[@]:1}")
        done
        status=0
        wait -n -p ended "${!running[@]}" || status=$?
        end_group "$ended"
        "$root/scripts/test-report.py" project "$results/${running[$ended]}" "$status"
        unset "running[$ended]"
    done
    [ "${1:-}" != matrix ] || cat "$results/matrix.txt"
    "$root/scripts/test-report.py" total "$results"
}

# One project, by its `name`.
start_project() {
    local project=$1 results=$2 filter=$3 assembly
    name=$(basename "$1"/*.Tests.csproj .csproj)
    assembly="$project/bin/$configuration/net10.0/$name.dll"
    start dotnet test "$assembly" --logger "trx;LogFileName=$name.trx" --results-directory "$results" \
        --blame-hang-timeout "$silence" --blame-hang-dump-type none \
        ${filter:+--filter "$filter"} "${@:4}" > "$results/$name.log" 2>&1
}

# Tables, and the same as JSON below artifacts/bench: the named benchmark or all of them, and at the end what was missed.
run_bench() {
    need mmdebstrap postgres kdig ssh pgrep promtool
    begin
    need_docker
    build "$everything" --load
    own lab "$lab"
    local data
    data=$(mktemp -d /var/tmp/managed-servers-bench.XXXXXXXX) # open to the user that its PostgreSQL runs as
    own folder "$data"
    own postgres "$data/postgres"
    attend dotnet "$root/tests/bench/bin/$configuration/net10.0/ManagedServers.Bench.dll" "$@" --data "$data" --out "$artifacts/bench"
}
