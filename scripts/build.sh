# shellcheck shell=bash
# The solution in one configuration for everything, and the container images.

readonly configuration=Release
readonly everything="$root/ManagedServers.sln"
readonly without_tests="$root/scripts/product.slnf"
readonly lab="$root/tests/lab/bin/$configuration/net10.0/ManagedServers.Lab.dll"

run_images() {
    need mmdebstrap pgrep
    begin
    need_docker
    build_images --load "$@"
}

# build_images [--load] [--refresh]: --load puts the images of the tests into Docker.
build_images() {
    attend "$root/workflows/Payload/images/build.py" --into "$artifacts/images" "$@" \
        "$root"/workflows/Payload/images/{knot,kea,monitor} "$root"/tests/lab/images/{lab-host,test-postgres,test-rabbitmq,test-smtp,dhcp-client}
}

# build SOLUTION [--load]: the solution (or a part of it) and, beside it, the images: a fresh machine waits for the
# network in the one and computes in the other.
build() {
    need_dotnet
    local images failed=false
    start "$root/workflows/Payload/images/build.py" --into "$artifacts/images" "${@:2}" \
        "$root"/workflows/Payload/images/{knot,kea,monitor} "$root"/tests/lab/images/{lab-host,test-postgres,test-rabbitmq,test-smtp,dhcp-client}
    images=$started
    build_solution "$1" || failed=true
    wait "$images" || fail "the images could not be built"
    ! $failed || fail "the solution could not be built"
}

build_solution() {
    local log="$artifacts/build.log" stamp sources
    stamp="$artifacts/built-$(basename "$1")"
    sources=$(source_files | sha256sum)
    if [ "$(cat "$stamp" 2> /dev/null)" = "$sources" ] && [ -e "$lab" ]; then
        return
    fi
    echo "build: $(basename "$1") …"
    # No server of the compiler or of MSBuild outlives the build.
    attend dotnet build "$1" --configuration "$configuration" --nologo -nodeReuse:false \
        -p:UseSharedCompilation=true "-p:SharedCompilationId=managed-servers-$$" -verbosity:quiet "-consoleLoggerParameters:ErrorsOnly;NoSummary" \
        > "$log" 2>&1 || { cat "$log" >&2; return 1; }
    echo "$sources" > "$stamp"
}

# Names, sizes and times: seconds cheaper than asking MSBuild whether there is something to do.
source_files() {
    find "$root" \( -name bin -o -name obj -o -path "$root/artifacts" -o -path "$root/scripts" \
        -o -name '.[!.]*' -o -name node_modules -o -name __pycache__ \) -prune \
        -o -type f ! -name '*.md' ! -name run -printf '%P %s %T@\n' | sort
}
