# faults.sh - for stories about trouble: several runs at once, each against a cloud of its own.
#
#   begin NAME "CLOUD OPTIONS" [PLAN [REHEARSE OPTIONS...]]   # starts both, does not wait
#   head_pid NAME; follow NAME       # of a run that goes on: its pid; CLOUD_* and EVENTS of it
#   finish NAME                      # waits for the run; sets CODE RESULT EVENTS OUT, CLOUD_* too
#   nothing_left "sentence"          # the cloud's own count, not the run's
#   said KIND JQ-TEST                # an event of that kind for which the test is true
#
# The runs of one story go on side by side: each is mostly waiting.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
need jq; need curl
unset AWS_MAX_ATTEMPTS # as users have it
declare -A PID_OF ENDPOINT_OF
FAST="--boot 0s-300ms --pending 0s-300ms --terminate 0s-200ms --visible 300ms --api 2ms-20ms --seed 7"

cat >"$WORK/small.yaml" <<'YAML'
dayfly: 1
name: small
vars: {rate: 60/s, seconds: 2s}
fleet: {region: us-east-1, ttl: 10m, launch_timeout: 20s, rollcall_timeout: 30s}
roles:
  web:
    count: 1
    instances: [c7g.large]
    replace_after: 20s
    service:
      run: '"$DAYFLY_BIN" serve --listen ${{ node.private_ip }} --port 8080'
    ready: {http: "http://${{ node.private_ip }}:8080/", every: 100ms, timeout: 20s}
  load:
    count: 4
    min: 3
    instances: [c7g.large, c6g.large]
    replace_after: 20s
phases:
  - name: main
    nodes: load
    duration: ${{ vars.seconds }}
    http: {url: "http://${{ roles.web[0].private_ip }}:8080/", rate: "${{ vars.rate }}"}
YAML

begin() {
    local name=$1 options=$2 plan=${3:-$WORK/small.yaml}
    shift; shift; shift
    mkdir -p "$WORK/$name"
    # shellcheck disable=SC2086
    cloud_start $FAST $options
    ENDPOINT_OF[$name]=$CLOUD_ENDPOINT
    (cd "$WORK/$name" && exec env --default-signal=INT "$DAYFLY" rehearse "$plan" --progress=plain \
        --cloud "$CLOUD_ENDPOINT" "$@" >out 2>err) &
    PID_OF[$name]=$!
    STORY_PIDS+=("$!")
}

head_pid() { echo "${PID_OF[$1]}"; }

follow() {
    CLOUD_ENDPOINT=${ENDPOINT_OF[$1]}
    CLOUD_URL=$(jq -r .url "$CLOUD_ENDPOINT")
    CLOUD_TOKEN=$(jq -r .token "$CLOUD_ENDPOINT")
    OUT=$WORK/$1/out
    ERR=$WORK/$1/err
    RUN=$(sed -n 's/.*run=\([a-z0-9]*\) .*/\1/p' "$ERR" | head -n 1)
    EVENTS=$XDG_STATE_HOME/dayfly/runs/$RUN/events.ndjson
}

finish() {
    CODE=0
    wait "${PID_OF[$1]}" || CODE=$?
    follow "$1"
    RESULT=$(find "$WORK/$1/results" -name result.json 2>/dev/null | head -n 1)
}

nothing_left() { ok "$1" wait_until 5 truth_is '.totals.left' 0; }
said() { jq -es "any(.[]; .type == \"$1\" and ($2))" "$EVENTS"; }
has_said() { follow "$1" && said "$2" "$3"; }
