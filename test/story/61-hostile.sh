#!/usr/bin/env bash
# A run among strangers: canaries planted as secrets, listeners counted, a flood at the head's port.
. "$(dirname "$0")/lib.sh"
need jq; need ss; need python3; need openssl
export AWS_ACCESS_KEY_ID=AKIACANARYKEYID00000 AWS_SECRET_ACCESS_KEY=canary-secret-5f1a
export AWS_SESSION_TOKEN=canary-session-77c2 AWS_REGION=us-east-1
cat >"$WORK/plan.yaml" <<'Y'
dayfly: 1
name: canary
fleet: {ttl: 10m}
roles:
  load:
    count: 2
    instances: [c7g.large]
    setup: |
      env
      printf 'last words \033]0;owned\007\033[2J\n'
phases:
  - name: work
    nodes: load
    run: "env; cat /proc/$$/environ | tr '\\0' '\\n'; sleep 16; echo done > out.txt"
    collect: [out.txt]
Y
umask 000
cd "$WORK" || exit 1
"$DAYFLY" rehearse plan.yaml --progress=plain --boot 0s --out "$WORK/results" >"$WORK/out" 2>"$WORK/err" &
HEAD=$!
STORY_PIDS+=("$HEAD")
wait_until 30 grep -q phase_start "$WORK/err" || { cat "$WORK/err"; bail "no phase"; }
RUN=$(grep -o 'run=[a-z0-9]*' "$WORK/err" | head -n 1 | cut -d= -f2)
ENDPOINT=$(ls "$XDG_STATE_HOME"/dayfly/clouds/*/endpoint.json)
CLOUD=$(jq -r .pid "$ENDPOINT")

tree() { local p; for p in $(cat /proc/"$1"/task/*/children 2>/dev/null); do echo "$p"; tree "$p"; done; }
JOIN=$(grep -rl '^token=' "$(dirname "$ENDPOINT")" 2>/dev/null | head -n 1)
ok "the story has found a join token" test -s "$JOIN"
TOKEN=$(sed -n 's/^token=//p' "$JOIN")

# ---- secrets in processes
: >"$WORK/procs"
CHILDREN=$(tree "$HEAD" | sort -u)
for pid in $CHILDREN "$CLOUD"; do
    tr '\0' '\n' <"/proc/$pid/environ" >>"$WORK/procs" 2>/dev/null
    tr '\0' ' ' <"/proc/$pid/cmdline" >>"$WORK/procs" 2>/dev/null
done
tr '\0' ' ' <"/proc/$HEAD/cmdline" >>"$WORK/procs"
ok "there were children to look at" test "$(echo "$CHILDREN" | wc -l)" -ge 3
is "no secret in command lines and environments of children" \
    "$(grep -c -e canary- -e AKIACANARY -e "$TOKEN" "$WORK/procs")" 0

# ---- listeners
head_ports=$(ss -Hltnp | grep "pid=$HEAD," | awk '{print $4}')
is "the head listens on one port" "$(echo "$head_ports" | wc -l)" 1
like "and on loopback only" "$head_ports" "127.*"
for pid in $CHILDREN "$CLOUD"; do ss -Hltnp | grep "pid=$pid," | awk '{print $4}'; done | sort -u >"$WORK/listens"
is "everything else listens on loopback only" "$(grep -vc '^127\.' "$WORK/listens")" 0

# ---- strangers
instance=$(curl -fsS -H "X-Dayfly-Token: $(jq -r .token "$ENDPOINT")" "$(jq -r .url "$ENDPOINT")/_dayfly/truth" |
    grep -o 'i-[0-9a-f]\{17\}' | head -n 1)
timeout 50 python3 "$STORY_ROOT/test/story/strangers.py" "${head_ports%:*}" "${head_ports##*:}" "$RUN" \
    "$TOKEN" "${instance:-i-00000000000000001}" "$WORK" >"$WORK/strangers" 2>&1
said() { sed -n "s/^$1 //p" "$WORK/strangers"; }
for what in http-without-tls garbage link-without-a-key frame-of-garbage frame-too-long \
    order-before-join long-instance; do
    is "$what is answered with nothing" "$(said $what)" nothing
done
for what in wrong-token wrong-run right-token-wrong-address right-token-unknown-instance; do
    is "$what is refused" "$(said $what)" refuse
done
like "only the agent can be fetched" "$(said http-other)" "*404*"
ok "the flood had more connections than there are places" test "$(said flood)" -gt 64

wait "$HEAD"
is "the run is unharmed" $? 0
ok "no node was lost or called twice" test "$(grep -c 'link-lost\|node_lost' "$WORK/err")" = 0

# ---- what is left on disk
like "state and runs are the owner's alone" \
    "$(stat -c %a "$XDG_STATE_HOME/dayfly" "$XDG_STATE_HOME/dayfly/runs/$RUN" | tr '\n' ' ')" "700 700 "
is "so are all files of the run" \
    "$(find "$XDG_STATE_HOME/dayfly/runs/$RUN" -type f ! -perm 600 | wc -l)" 0
is "no secret in state, results and output" \
    "$(grep -rlaF -e canary-secret -e canary-session -e AKIACANARY -e "$TOKEN" "$XDG_STATE_HOME/dayfly/runs" \
        "$WORK/results" "$WORK/out" "$WORK/err" | wc -l)" 0
ok "the file of the phase was collected" find "$WORK/results" -path '*files/work/out.txt' -size +0
is "no escape of a node reaches the terminal" "$(grep -c $'\033' "$WORK/out" "$WORK/err" | grep -vc ':0')" 0
done_testing
