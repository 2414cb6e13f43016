# shellcheck shell=bash
# What this machine must have. A package with a daemon is installed without starting it: nothing on the machine changes
# but that the package is there.

readonly policy=/usr/sbin/policy-rc.d
readonly policy_mark='# placed by ./run of Managed Servers while it installs packages'
readonly no_cluster=/etc/postgresql-common/createcluster.d/managed-servers.conf

# need TOOL...: installs the packages of the tools that are not there.
need() {
    local tool missing=()
    for tool in "$@"; do
        has "$tool" || missing+=("$(packages_of "$tool")")
    done
    [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

has() {
    case "$1" in
        mmdebstrap)
            command -v mmdebstrap > /dev/null && command -v python3 > /dev/null &&
                [ -e /usr/share/keyrings/debian-archive-keyring.gpg ]
            ;;
        postgres) compgen -G '/usr/lib/postgresql/*/bin/postgres' > /dev/null ;;
        *) command -v "$1" > /dev/null ;;
    esac
}

packages_of() {
    case "$1" in
        mmdebstrap) echo mmdebstrap debian-archive-keyring python3 ;;
        docker | dockerd) echo docker.io ;;
        postgres) echo postgresql ;;
        kdig) echo knot-dnsutils ;;
        kzonecheck) echo knot-dnssecutils ;;
        ssh) echo openssh-client ;;
        pgrep) echo procps ;;
        promtool) echo prometheus ;;
        chromium) echo chromium fonts-liberation ;;
        *) echo "$1" ;;
    esac
}

need_dotnet() {
    if ! command -v dotnet > /dev/null || ! dotnet --list-sdks | grep -q '^10\.'; then
        fail "the .NET 10 SDK is not on this machine: install it (https://dot.net, or your distribution's dotnet-sdk-10.0) and run this again"
    fi
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    else
        sudo "$@"
    fi
}

install_packages() {
    command -v apt-get > /dev/null || fail "missing: $*. This is not Debian or Ubuntu: install them and run this again"
    echo "run: to install from Debian: $*"
    if ! $assume_yes && [ -t 0 ]; then
        local answer
        read -r -p "Install them? [Y/n] " answer
        [[ "${answer:-y}" =~ ^[Yy] ]] || fail "not installed: $*"
    fi
    # In a subshell, so that its trap restores the machine whatever happens in between.
    # shellcheck disable=SC2068 # one element holds the packages of one tool
    (install_quietly ${@})
}

install_quietly() {
    local log="$artifacts/install.log"
    mkdir -p "$artifacts"
    exec 8> /run/lock/managed-servers-install.lock
    flock 8
    trap restore_policies EXIT
    hold_services
    export DEBIAN_FRONTEND=noninteractive
    {
        as_root apt-get update -q
        as_root apt-get install -y -q --no-install-recommends -o DPkg::Lock::Timeout=300 "$@"
    } > "$log" 2>&1 || { tail -n 20 "$log" >&2; fail "apt-get could not install $* (all of it: $log)"; }
}

hold_services() {
    if [ -e "$policy" ] && ! grep -qF "$policy_mark" "$policy"; then
        as_root mv "$policy" "$policy.before-managed-servers"
    fi
    printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" | as_root tee "$policy" > /dev/null
    as_root chmod 0755 "$policy"
    as_root mkdir -p "$(dirname "$no_cluster")"
    echo 'create_main_cluster = false' | as_root tee "$no_cluster" > /dev/null
}

restore_policies() {
    as_root rm -f "$no_cluster"
    as_root rmdir --ignore-fail-on-non-empty "$(dirname "$no_cluster")"
    if [ -e "$policy" ] && grep -qF "$policy_mark" "$policy"; then
        as_root rm -f "$policy"
    fi
    if [ -e "$policy.before-managed-servers" ]; then
        as_root mv "$policy.before-managed-servers" "$policy"
    fi
}
