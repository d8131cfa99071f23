#!/bin/bash
# The bench against the test server: what was asked was sent, and the server's own log says so.
. "$(dirname "$0")/lib.sh"
need jq; need python3

serve_start() { # options...; sets SERVE_PID and SERVE_URL
    : >"$WORK/served"
    "$DAYFLY" serve --listen 127.0.0.1 -p 0 "$@" >"$WORK/served" 2>"$WORK/serve.err" &
    SERVE_PID=$!
    STORY_PIDS+=("$SERVE_PID")
    wait_until 10 grep -q listening "$WORK/served" || bail "the server does not listen"
    SERVE_URL=$(sed -n 's/^listening on //p' "$WORK/served")
}
serve_stop() { kill "$SERVE_PID"; wait "$SERVE_PID"; SERVE_STATUS=$?; }
bench() { "$DAYFLY" bench "$SERVE_URL" --json "$@" >"$WORK/bench.json"; }
said() { jq -r "$1" "$WORK/bench.json"; }

# --- counts
serve_start --size 1KiB --access-log "$WORK/log"
ok "a bench at 2,000/s for 5 s ends well" bench -r 2000/s -d 5s -c 16 --hdr "$WORK/out.hlog"
is "it planned exactly that" "$(said .planned)" 10000
is "all were answered as expected" "$(said .ok)" 10000
is "the latency histogram has every one" "$(said .latency.count)" 10000
is "16 connections were enough" "$(said .connects)" 16
is "the document is JSON and nothing else" "$(said .schema)" dayfly.bench/1
like "the histogram log has latency and service of five seconds (a late reply opens a sixth)" \
    "$(grep -c '^Tag=\(latency\|service\),[0-9.]*,1.000,[0-9.]*,HISTFAAA' "$WORK/out.hlog")" '1[02]'
ok "a ramp sends the area under it" bench -r 1000/s --ramp 1s -d 1s
is "500 and 1,000" "$(said .planned)/$(said .ok)" 1500/1500
ok "a closed loop of 8 users runs" bench -c 8 -d 1s
is "every reply was counted once" "$(said '.sent - .answered')" 0
serve_stop
is "the server ends cleanly on SIGTERM" "$SERVE_STATUS" 0
is "its log has the first bench, request by request" "$(head -n 10000 "$WORK/log" | wc -l)" 10000
like "it says what it served" "$(cat "$WORK/serve.err")" 'served *, 0 over the limit, 0 errors'

# --- statuses
serve_start --errors 10% --seed 3
ok "a server that fails one in ten" bench -r 2000/s -d 2s
ok "is seen to do so" test "$(said '.errors.status | . > 320 and . < 480')" = true
is "its errors are replies all the same" "$(said '.answered')" 4000
is "and counted by status" "$(said '.status["5xx"] == .errors.status')" true
serve_stop

# --- the limit: 50/s with a bucket of 50: over 4 s, 50 + 4 x 50 pass, whatever is asked (a machine
# that is so busy that the bench takes longer lets a few more through)
serve_start --limit 50/s
ok "500/s against a limit of 50/s" bench -r 500/s -d 4s -c 8
is "every request was answered" "$(said .answered)" 2000
ok "those that passed are what the token bucket allows" \
    test "$(said '.ok >= 245 and .ok <= 52 + 50 * .took_s')" = true
is "the others got 429" "$(said '.status["4xx"] + .ok')" 2000
serve_stop

# --- the truth about a server that stalls 200 ms every 2 s (p99 180 ms, p99.9 198 ms)
for connections in 50 10; do
    serve_start --stall 200ms/2s --access-log "$WORK/log"
    ok "2,000/s for 20 s on $connections connections" bench -r 2000/s -d 20s -c $connections
    serve_stop
    is "$connections: the full rate was sent" "$(said .ok)" 40000
    ok "$connections: p99 and p99.9 are within 2 % of the truth in the server's log" \
        python3 "$STORY_ROOT/bench/stall_truth.py" "$WORK/log" "$WORK/bench.json" --check 2
    python3 "$STORY_ROOT/bench/stall_truth.py" "$WORK/log" "$WORK/bench.json" | sed 's/^/# /'
    ok "$connections: the report says that sends were late" test "$(said .late)" -gt 1000
done

# --- TLS, verified unless told otherwise
if command -v openssl >/dev/null; then
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=localhost \
        -addext "subjectAltName=IP:127.0.0.1" -keyout "$WORK/key.pem" -out "$WORK/cert.pem" 2>/dev/null
    openssl s_server -accept 127.0.0.1:0 -key "$WORK/key.pem" -cert "$WORK/cert.pem" -www \
        >"$WORK/tls.out" 2>&1 &
    STORY_PIDS+=("$!")
    wait_until 10 grep -q '^ACCEPT 127' "$WORK/tls.out" || bail "no TLS server"
    SERVE_URL=https://127.0.0.1:$(sed -n 's/^ACCEPT 127.0.0.1://p' "$WORK/tls.out" | head -n 1)/
    is "a certificate that nobody vouches for: exit code 1" \
        "$(bench -r 50/s -d 1s -c 2; echo $?)" 1
    is "and TLS errors only" "$(said .errors.tls)" 50
    ok "a certificate that is trusted" env SSL_CERT_FILE="$WORK/cert.pem" \
        "$DAYFLY" bench "$SERVE_URL" -r 50/s -d 1s -c 2 -q
    ok "or --insecure" bench -r 50/s -d 1s -c 2 --insecure
    is "every request was answered" "$(said .ok)" 50
fi

# --- trouble
is "nobody there: exit code 1" "$("$DAYFLY" bench http://127.0.0.1:9/ -r 50/s -d 1s --json \
    >"$WORK/bench.json"; echo $?)" 1
is "and every request counts as refused" "$(said .errors.refused)" 50
is "a wrong address: exit code 2" "$("$DAYFLY" bench 127.0.0.1:80 2>/dev/null; echo $?)" 2
done_testing
