# shellcheck shell=bash
# All tests, on real parts; the last line is the sum over all projects.

run_tests() {
    need mmdebstrap postgres kdig kzonecheck ssh chromium csh fish
    begin
    need_docker
    build "$everything" --load

    local results="$artifacts/tests" project
    rm -rf "$results"
    mkdir -p "$results"
    export TESTCONTAINERS_RYUK_DISABLED=true # its image cannot be had everywhere; the tests remove what they start
    # Most processes of the tests live for a moment: what they measure of themselves to become faster later is lost on them.
    # They become faster only after ten seconds (hexadecimal ms) without new code.
    export DOTNET_TieredPGO=0 DOTNET_TC_CallCountingDelayMs=2710
    # Their threads wait for work without spinning, which would take time from the others.
    export DOTNET_ThreadPool_UnfairSemaphoreSpinLimit=0
    own lab "$lab"
    local projects=("$root"/tests/{engine,workflows,api,dashboard,cli,lab/tests}) filter=${1:+FullyQualifiedName~$1} settings=() silence=10m
    if [ "${1:-}" = chaos ]; then
        projects=("$root/tests/engine")
        filter=Category=Chaos
        export MANAGED_SERVERS_CHAOS=full
        # One after another: how late a node is at work again would be measured together with its neighbours.
        settings=(-- xUnit.ParallelizeTestCollections=false)
    fi
    if [ "${1:-}" = matrix ]; then
        projects=("$root"/tests/{api,workflows})
        filter=Category=Matrix
        export MANAGED_SERVERS_MATRIX=full
        silence=2h
    fi
    for project in "${projects[@]}"; do
        run_project "$project" "$results" "$filter" "${settings[@]}"
    done
    [ "${1:-}" != matrix ] || cat "$results/matrix.txt"
    "$root/scripts/test-report.py" total "$results"
}

# One project: its failures are shown, its numbers are kept for the sum.
run_project() {
    local project=$1 results=$2 filter=$3 name assembly
    name=$(basename "$1"/*.Tests.csproj .csproj)
    assembly="$project/bin/$configuration/net10.0/$name.dll"
    local status=0
    attend dotnet test "$assembly" --logger "trx;LogFileName=$name.trx" --results-directory "$results" \
        --blame-hang-timeout "$silence" --blame-hang-dump-type none \
        ${filter:+--filter "$filter"} "${@:4}" > "$results/$name.log" 2>&1 || status=$?
    "$root/scripts/test-report.py" project "$results/$name" "$status"
}

# Tables, and the same as JSON below artifacts/bench: the named benchmark or all of them, and at the end what was missed.
run_bench() {
    need mmdebstrap postgres kdig ssh
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
