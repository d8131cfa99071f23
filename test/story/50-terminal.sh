#!/bin/bash
# The screen as a person sees it: a real terminal of three sizes, one resized and one interrupted in
# the middle of a run, and streams that are closed, dumb, colourless or not there at all.
. "$(dirname "$0")/lib.sh"
need tmux
need python3
export LC_ALL=C.UTF-8
cd "$WORK" || bail "no folder"

cat > short.yaml <<'PLAN'
dayfly: 1
name: short
fleet: {region: us-east-1, ttl: 15m, local: {boot: 500ms-1s}}
roles:
  web:
    count: 1
    instances: [c7g.large]
    service: {run: '"$DAYFLY_BIN" serve --listen ${{ node.private_ip }} --port 8080'}
    ready: {http: "http://${{ node.private_ip }}:8080/", every: 200ms, timeout: 30s}
  load: {count: 3, instances: [c7g.large, c6g.large]}
phases:
  - name: steady
    nodes: load
    duration: ${{ vars.steady }}
    http: {url: "http://${{ roles.web[0].private_ip }}:8080/", rate: 100/s}
  - {name: tidy, nodes: load, run: sleep 1}
thresholds: [p95 < 5s, errors < 50%]
vars: {steady: 4s}
PLAN
ok "the plan is valid" "$DAYFLY" validate short.yaml

# One tmux server; a session is a terminal of one size that runs one command line.
TMUX_SOCKET=$WORK/tmux
term() { tmux -S "$TMUX_SOCKET" -f /dev/null "$@"; }
open_term() { # name columns rows command...
    local name=$1 columns=$2 rows=$3; shift 3
    term new-session -d -s "$name" -x "$columns" -y "$rows" "$*; echo code=\$?; exec sleep 100"
    [ -s "$WORK/server" ] || term display-message -p '#{pid}' > "$WORK/server"
}
close_terms() { [ -s "$WORK/server" ] && kill "$(cat "$WORK/server")" 2>/dev/null; }
trap 'close_terms; story_end' EXIT

term start-server \; set -g history-limit 5000 \; new-session -d -s first -x 80 -y 24 'exec sleep 100'
term display-message -p '#{pid}' > "$WORK/server"
term set -g history-limit 5000
run="$DAYFLY rehearse short.yaml"
open_term usual 80 24 "$run --out usual"
open_term large 120 40 "$run --out large --color always"
open_term small 40 10 "$run --out small"
open_term moved 80 24 "$run --out moved"
open_term stopped 80 24 "$run --out stopped --set vars.steady=60s"
open_term dumb 80 24 "TERM=dumb $run --out dumb"
open_term plain 80 24 "LC_ALL=C NO_COLOR=1 $run --out plain"

shown() { term capture-pane -p -t "$1"; }
ended() { shown "$1" | grep -q '^code='; }
sees() { shown "$1" | grep -q -- "$2"; }
mkdir -p shots
turn=0 moves=0 pressed=
deadline=$((SECONDS + 60))
while [ "$SECONDS" -lt "$deadline" ]; do
    turn=$((turn + 1)) left=0
    for name in usual large small moved stopped; do
        ended "$name" && continue
        left=$((left + 1))
        shown "$name" > "shots/$name.$(printf %04d "$turn")"
    done
    if sees moved '^▶ steady' && [ $((turn % 2)) = 0 ] && [ "$moves" -lt 4 ]; then
        size=("100 30" "50 20" "130 12" "80 24")
        # shellcheck disable=SC2086
        set -- ${size[$moves]}
        term resize-window -t moved -x "$1" -y "$2"
        moves=$((moves + 1))
    fi
    if [ -z "$pressed" ] && sees stopped '^  rate  *[1-9]'; then
        pressed=$(date +%s%N)
        term send-keys -t stopped C-c
        wait_until 5 sees stopped "load off now" && said_ms=$((($(date +%s%N) - pressed) / 1000000))
    fi
    [ "$left" = 0 ] && break
    sleep 0.2
done
for name in usual large small moved stopped dumb plain; do
    ok "$name comes to its end" wait_until 20 ended "$name"
    term capture-pane -p -J -S - -t "$name" > "shots/$name.all"
done
is "the window was resized four times in the middle" "$moves" 4

cat > look.py <<'PY'
import glob, re, sys
name, columns, rows = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
HEAD = re.compile(r"^(?:[⠀-⣿]|▶) ")     # first line of the status block
EVENT = re.compile(r"^\d\d:\d\d:\d\d  ")
problems, seen, moving = [], set(), set()
shots = sorted(glob.glob(f"shots/{name}.0*"))
for shot in shots:
    lines = open(shot).read().rstrip("\n").split("\n")
    heads = [i for i, line in enumerate(lines) if HEAD.match(line)]
    if len(heads) > 1:
        problems.append(f"{shot}: two blocks")
    if not heads:
        continue
    block = lines[heads[0]:]
    seen.add(block[0].split()[1])
    moving.add("\n".join(block))
    if columns and len(block) > min(12, rows - 2):
        problems.append(f"{shot}: the block has {len(block)} lines")
    if any(EVENT.match(line) for line in block):
        problems.append(f"{shot}: an event below the block")
whole = open(f"shots/{name}.all").read().split("\n")
if any(HEAD.match(line) for line in whole):
    problems.append("the block is still there after the end")
events = [line for line in whole if EVENT.match(line)]
for line in set(events):
    if events.count(line) > 1:
        problems.append(f"told twice: {line}")
for word in ("config", "plan", "roll-call", "service"):
    if sum(line[10:20].split()[:1] == [word] for line in events) != 1:
        problems.append(f"not told once: {word}")
if len(shots) < 8 or len(moving) < 6:
    problems.append(f"{len(shots)} looks, {len(moving)} different blocks: nothing moves")
for stage in ("roll-call", "steady", "down"):
    if stage not in seen:
        problems.append(f"stage never seen: {stage} in {sorted(seen)}")
if columns >= 80:
    for line in whole:
        if len(line.rstrip()) > columns:
            problems.append(f"wider than the terminal: {line}")
print("\n".join(problems[:20]))
sys.exit(bool(problems))
PY
ok "80x24: one moving block of at most 12 lines, no leftovers, the story told once" \
    python3 look.py usual 80 24
ok "120x40: the same" python3 look.py large 120 40
ok "40x10: the same in one line" python3 look.py small 40 10
ok "resized in the middle: the same" python3 look.py moved 0 0
is "80x24 ends with 0" "$(grep ^code= shots/usual.all)" code=0
ok "the summary is there, once" test "$(grep -c '^PASS  short' shots/usual.all)" = 1
ok "a word of an event is never broken" \
    sh -c 'grep -q "^  dayfly:run=.* is left\|deleted; nothing tagged" shots/small.all'

is "Ctrl-C ends with 130" "$(grep ^code= shots/stopped.all)" code=130
ok "Ctrl-C is answered at once (${said_ms:-never} ms)" test "${said_ms:-9999}" -lt 1000
ok "and everything is given back" grep -q 'nothing tagged dayfly:run=.* is left' \
    <(tr '\n' ' ' < shots/stopped.all | tr -s ' ')

ok "--color=always colours" sh -c "tmux -S '$TMUX_SOCKET' capture-pane -e -p -S - -t large | grep -q '$(printf '\033')\[3[0-9]m'"
ok "TERM=dumb gets plain lines" grep -q 'run=[a-z0-9]* phase_start phase=steady' shots/dumb.all
ok "and no block" sh -c '! grep -q "▶\|█" shots/dumb.all'
ok "a locale without UTF-8 gets ASCII" sh -c '! LC_ALL=C grep -q "[^ -~]" shots/plain.all'
ok "NO_COLOR gets none" sh -c "! tmux -S '$TMUX_SOCKET' capture-pane -e -p -S - -t plain | grep -q '$(printf '\033')\['"

# Streams.
out_of() { "$DAYFLY" rehearse short.yaml --set vars.steady=1s "$@"; }
{ out_of --out gone 2>&1; echo $? > gone.code; } | head -c 1 > gone.out &
p1=$!
{ out_of --out shut >&- 2>&-; echo $? > shut.code; } &
p2=$!
{ out_of --set vars.steady=3s --out json --progress=json > json.out 2> json.err; echo $? > json.code; } &
p3=$!
{ out_of --out quiet --quiet > quiet.out 2> quiet.err; echo $? > quiet.code; } &
p4=$!
{ out_of --out verbose -v > verbose.out 2> verbose.err; echo $? > verbose.code; } &
p5=$!
wait $p1 $p2 $p3 $p4 $p5
is "a reader that leaves does not end the run" "$(cat gone.code)" 0
ok "and its results are whole" sh -c 'jq -e ".verdict" gone/*/result.json'
is "closed streams do not end the run" "$(cat shut.code)" 0
ok "and nothing is written into its files instead" sh -c 'jq -e ".verdict" shut/*/result.json'
is "--progress=json ends with 0" "$(cat json.code)" 0
ok "it is JSON and nothing else, a version first, the result last" python3 - <<'PY'
import json
lines = [json.loads(line) for line in open("json.out")]
assert lines[0]["type"] == "version", lines[0]
assert lines[-1]["type"] == "result", lines[-1]
assert {"plan", "launch", "rollcall", "phase_start", "progress", "phase_end", "down"} <= {x["type"] for x in lines}
PY
is "--progress=json says nothing on stderr" "$(cat json.err)" ""
is "--quiet says nothing on stderr when all is well" "$(cat quiet.err)" ""
ok "--quiet still prints the result" grep -q '^PASS  short' quiet.out
ok "--verbose names the nodes that joined" grep -q 'node joined.*load:2' verbose.err
ok "pipes get no escape sequence" sh -c "! grep -q '$(printf '\033')' verbose.err verbose.out quiet.out json.out"

cat > first.py <<'PY'
import select, signal, subprocess, sys, time
best = 9e9
for _ in range(3):
    began = time.monotonic()
    p = subprocess.Popen(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    select.select([p.stdout, p.stderr], [], [], 10)
    best = min(best, time.monotonic() - began)
    p.send_signal(signal.SIGINT)
    p.communicate()
print(f"{best * 1000:.1f} ms")
sys.exit(best > 0.1)
PY
ok "the first byte comes within 100 ms" python3 first.py "$DAYFLY" rehearse short.yaml --out first
done_testing
