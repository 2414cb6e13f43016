# Has the host's own service keep the time, and waits until it says that the clock is right.
set -eu
if command -v chronyc >/dev/null && chronyc -n tracking >/dev/null 2>&1; then
    # Where chrony may not set the clock, it may still be right: that is for waitsync to say.
    chronyc -n makestep >/dev/null 2>&1 || true
    chronyc -n waitsync 60 0.5 0 1
elif command -v timedatectl >/dev/null && [ -d /run/systemd/system ]; then
    timedatectl set-ntp true
    while [ "$(timedatectl show -p NTPSynchronized --value)" != yes ]; do sleep 1; done
else
    echo "Neither chrony nor systemd keeps the time of this host. Install chrony."
    exit 1
fi
echo "The clock is synchronised: $(date -u)."
