#!/usr/bin/env bash
# The head's disk is full: nothing is launched without a journal, everything is ended without one.
. "$(dirname "$0")/lib.sh"
need jq
[ "$(id -u)" = 0 ] || skip_all "mounting a small disk needs root"
unshare -m true 2>/dev/null || skip_all "no mount namespace"
if [ -z "${FULL_DISK_INSIDE:-}" ]; then
    FULL_DISK_INSIDE=1 exec unshare -m bash "$0"
fi
mkdir "$WORK/disk"
mount -t tmpfs -o size=3m none "$WORK/disk" || skip_all "no tmpfs"
export XDG_STATE_HOME=$WORK/disk/state
mkdir "$XDG_STATE_HOME"
fill() { dd if=/dev/zero of="$WORK/disk/filler" bs=4k 2>/dev/null; true; }
cat >"$WORK/plan.yaml" <<'Y'
dayfly: 1
name: full
fleet: {ttl: 10m}
roles: {load: {count: 2, instances: [c7g.large]}}
phases: [{name: work, nodes: load, run: "yes | head -c 3000000; sleep 4"}]
Y
cd "$WORK" || exit 1
cloud_start --boot 0s # its own folder is not on the small disk

"$DAYFLY" run plan.yaml --endpoint-url "$CLOUD_URL" --progress=plain --out "$WORK/disk/results" \
    >"$WORK/out" 2>"$WORK/err" &
HEAD=$!
STORY_PIDS+=("$HEAD")
wait_until 30 grep -q phase_start "$WORK/err" || { sed 's/^/# /' "$WORK/err"; bail "no phase"; }
fill
# Stopping now would wait for AWS's times of proof: what counts is that all instances end.
ended() { [ "$(aws ec2 describe-instances --query 'Reservations[].Instances[].State.Name' |
    tr '\t' '\n' | grep -c '^terminated$')" = 2 ]; }
ok "with a full disk all instances are ended" wait_until 40 ended
wait "$HEAD"
code=$?
ok "the head fails for want of results, and does not crash ($code)" test "$code" -gt 0 -a "$code" -lt 128
is "nothing is left" "$(truth '.totals.left')" 0

rm -rf "$XDG_STATE_HOME/dayfly/runs"
fill
before=$(aws ec2 describe-instances --query 'Reservations[].Instances[].InstanceId' | wc -w)
"$DAYFLY" run plan.yaml --endpoint-url "$CLOUD_URL" --progress=plain --out "$WORK/disk/results" \
    >"$WORK/out2" 2>"$WORK/err2"
code=$?
ok "without room for a journal a run fails ($code)" test "$code" -gt 0 -a "$code" -lt 128
is "and launches nothing" \
    "$(aws ec2 describe-instances --query 'Reservations[].Instances[].InstanceId' | wc -w)" "$before"
umount "$WORK/disk" 2>/dev/null || umount -l "$WORK/disk"
done_testing
