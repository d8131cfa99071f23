# lib.sh - for stories: real programs against a real rehearsal cloud, told in TAP.
#
#   . "$(dirname "$0")/lib.sh"
#   cloud_start --boot 0s            # sets CLOUD_PID CLOUD_URL CLOUD_TOKEN CLOUD_ENDPOINT, exports AWS_*
#   ok "a sentence" test 1 = 1       # one test: the command must succeed
#   is "a sentence" "$got" "$want"
#   wait_until 10 command...         # try until it succeeds; fails after so many seconds
#   truth '.totals.left'             # ask the ground truth with jq
#   control "interrupt?id=$id"       # POST to /_dayfly/
#   done_testing
#
# Everything that a story starts is ended when it exits, by process id. $WORK is its own folder,
# removed at the end. DAYFLY names the program (default: build/dayfly of this tree).
set -u
STORY_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
DAYFLY=${DAYFLY:-$STORY_ROOT/build/dayfly}
WORK=$(mktemp -d "${TMPDIR:-/tmp}/dayfly-story-XXXXXX")
export XDG_STATE_HOME=$WORK/state HOME=$WORK/home
mkdir -p "$XDG_STATE_HOME" "$HOME"
# A story says itself what its environment is; a continuous-integration machine has opinions.
unset AWS_PROFILE AWS_SESSION_TOKEN AWS_ENDPOINT_URL CI GITHUB_ACTIONS NO_COLOR FORCE_COLOR \
    CLICOLOR_FORCE DAYFLY_PROGRESS DAYFLY_COLOR DAYFLY_OUT
export AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1 AWS_PAGER=
STORY_COUNT=0
STORY_FAILED=0
STORY_PIDS=()

story_end() {
    local pid
    for pid in "${STORY_PIDS[@]}"; do kill "$pid" 2>/dev/null; done
    for pid in "${STORY_PIDS[@]}"; do
        for _ in $(seq 150); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
        kill -9 "$pid" 2>/dev/null
    done
    rm -rf "$WORK"
}
trap story_end EXIT
trap 'exit 130' INT TERM

bail() { echo "Bail out! $*"; exit 1; }
skip_all() { echo "1..0 # SKIP $*"; exit 0; }
need() { command -v "$1" >/dev/null || skip_all "$1 is not installed"; }

result() { # status sentence
    STORY_COUNT=$((STORY_COUNT + 1))
    if [ "$1" = 0 ]; then echo "ok $STORY_COUNT - $2"; return 0; fi
    STORY_FAILED=$((STORY_FAILED + 1))
    echo "not ok $STORY_COUNT - $2"
    return 1
}

ok() {
    local sentence=$1 said; shift
    if said=$("$@" 2>&1); then result 0 "$sentence"; else
        result 1 "$sentence"; printf '%s\n' "$said" | tail -n 20 | sed 's/^/#   /'; return 1; fi
}

is() {
    if [ "$2" = "$3" ]; then result 0 "$1"; else
        result 1 "$1"; echo "#   got:  $2"; echo "#   want: $3"; return 1; fi
}

like() { # sentence text glob
    # shellcheck disable=SC2254
    case $2 in $3) result 0 "$1";; *) result 1 "$1"; echo "#   got:  $2"; echo "#   like: $3"; return 1;; esac
}

done_testing() { echo "1..$STORY_COUNT"; [ "$STORY_FAILED" = 0 ] || exit 1; }

wait_until() { # seconds command...
    local until=$((SECONDS + $1 + 1)); shift
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$until" ] || { echo "# waited in vain for: $*"; return 1; }
        sleep 0.1
    done
}

cloud_start() {
    CLOUD_DIR=$(mktemp -d "$WORK/cloud-XXXX")
    "$DAYFLY" cloud --quiet --state-dir "$CLOUD_DIR" --ready-fd 9 "$@" \
        9>"$CLOUD_DIR/ready" >"$CLOUD_DIR/log" 2>&1 &
    CLOUD_PID=$!
    STORY_PIDS+=("$CLOUD_PID")
    wait_until 20 test -s "$CLOUD_DIR/ready" || { sed 's/^/# /' "$CLOUD_DIR/log"; bail "no cloud"; }
    CLOUD_ENDPOINT=$(cat "$CLOUD_DIR/ready")
    [ -f "$CLOUD_ENDPOINT" ] || bail "no cloud: $CLOUD_ENDPOINT"
    CLOUD_URL=$(jq -r .url "$CLOUD_ENDPOINT")
    CLOUD_TOKEN=$(jq -r .token "$CLOUD_ENDPOINT")
    AWS_ACCESS_KEY_ID=$(jq -r .access_key_id "$CLOUD_ENDPOINT")
    AWS_SECRET_ACCESS_KEY=$(jq -r .secret_access_key "$CLOUD_ENDPOINT")
    AWS_DEFAULT_REGION=$(jq -r .region "$CLOUD_ENDPOINT")
    AWS_REGION=$AWS_DEFAULT_REGION
    export AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_DEFAULT_REGION AWS_REGION
}

cloud_stop() { kill "$CLOUD_PID" 2>/dev/null; wait "$CLOUD_PID" 2>/dev/null; }

truth() { curl -fsS -m 20 -H "X-Dayfly-Token: $CLOUD_TOKEN" "$CLOUD_URL/_dayfly/truth" | jq -r "$@"; }
truth_is() { [ "$(truth "$1")" = "$2" ]; }
control() { curl -fsS -m 20 -g -X POST -H "X-Dayfly-Token: $CLOUD_TOKEN" "$CLOUD_URL/_dayfly/$1"; }

# Debian's clients: never without --endpoint-url, which older ones need or they call the real AWS.
AWSCLI=$(test -x /usr/bin/aws && echo /usr/bin/aws || command -v aws || true)
aws() { "$AWSCLI" --endpoint-url "$CLOUD_URL" --cli-read-timeout 60 --output text "$@"; }
