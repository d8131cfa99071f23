#!/bin/bash
# Namespaces: software that knows nothing of dayfly runs unmodified on its usual port, and nothing
# of a fleet stays on this machine, also after its cloud was killed.
. "$(dirname "$0")/lib.sh"
need jq; need curl
[ "$(id -u)" = 0 ] && unshare -n -m true 2>/dev/null || skip_all "namespaces need root"
NGINX=$(PATH=$PATH:/usr/sbin command -v nginx || true)
QUICK="--boot 0s-200ms --pending 0s-200ms --terminate 0s-200ms --visible 200ms --api 2ms-20ms"

cat >"$WORK/web.yaml" <<'YAML'
dayfly: 1
name: web
vars: {seconds: 3s, server: "nginx -g 'daemon off;'"}
fleet: {region: us-east-1, ttl: 10m}
roles:
  web:
    count: 2
    service: {run: "${{ vars.server }}"}
    ready: {http: "http://${{ node.private_ip }}/", every: 100ms, timeout: 20s}
  load: {count: 3}
phases:
  - name: hit
    nodes: load
    duration: ${{ vars.seconds }}
    http:
      base: http://${{ roles.web[0].private_ip }}
      rate: 300/s
      requests:
        - {name: first, get: /}
  - name: metadata
    nodes: load
    run: |
      T=$(curl -s -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 60' http://169.254.169.254/latest/api/token)
      curl -s -H "X-aws-ec2-metadata-token: $T" http://169.254.169.254/latest/meta-data/local-ipv4 > ip.txt
      echo >> ip.txt
    collect: [ip.txt]
  - {name: same, nodes: web, run: "curl -s -o /dev/null -w '%{http_code}' http://169.254.169.254/ > code.txt", collect: [code.txt]}
thresholds:
  - errors == 0
YAML
[ -n "$NGINX" ] || sed -i "s|server: .*}|server: '\"\$DAYFLY_BIN\" serve --port 80'}|" "$WORK/web.yaml"
[ -n "$NGINX" ] || echo "# nginx is not installed: dayfly serve takes port 80 in its place"

links() { find /sys/class/net -name 'dayfly*' -o -name 'df[0-9]*-*'; }
mounts() { grep -c dayfly /proc/self/mountinfo; }
spaces() { lsns -t net -n -o NS | sort; }
clean() { [ -z "$(links)" ] && ! pgrep -f "$XDG_STATE_HOME" && [ -z "$(ls "$STATE/clouds" 2>/dev/null)" ]; }
STATE=$XDG_STATE_HOME/dayfly
BEFORE="$(links)|$(mounts)"
SPACES=$(spaces)
cd "$WORK" || exit 1

# shellcheck disable=SC2086
"$DAYFLY" rehearse web.yaml --isolate namespace --progress=plain $QUICK >out 2>err
is "two servers on port 80 and three generators: the run passes" "$?" 0
RESULT=$(find results -name result.json | head -n 1)
is "each request was answered" "$(jq '.phases[0]|.planned == 900 and .done == 900' "$RESULT")" true
echo "# start skew: $(jq .phases[0].start_skew_us "$RESULT") us"
ok "the start skew is told and below 50 ms" test "$(jq '.phases[0].start_skew_us as $s |
    $s > 0 and $s < 50000' "$RESULT")" = true
is "metadata answers beside that, each node with its own address" \
    "$(cat "$(dirname "$RESULT")"/nodes/load-*/files/metadata/ip.txt | grep . | sort)" \
    "$(jq -r '.nodes[]|select(.role=="load").private_ip' "$RESULT" | sort)"
is "and it is no page of the server that has port 80" \
    "$(cat "$(dirname "$RESULT")"/nodes/web-*/files/same/code.txt)" 401401
is "the truth has nothing left" "$(jq -c '.clean|[.verified,.truth.instances_left,.truth.resources_left]' \
    "$RESULT")" "[true,0,0]"
ok "no link, process or folder is left" wait_until 10 clean
is "links and mounts are as before" "$(links)|$(mounts)" "$BEFORE"
is "so are network namespaces" "$(spaces)" "$SPACES"

# --- the cloud is killed in the middle
# shellcheck disable=SC2086
"$DAYFLY" rehearse web.yaml --isolate namespace --progress=plain $QUICK --set vars.seconds=20s \
    >out2 2>err2 &
HEAD=$!
STORY_PIDS+=("$HEAD")
ok "a second run gets to its load" wait_until 30 grep -q phase_start err2
CLOUD=$(jq .pid "$STATE"/clouds/*/endpoint.json)
STORY_PIDS+=("$CLOUD")
kill -9 "$CLOUD"
inside() { [ "$(spaces)" = "$SPACES" ]; }
ok "all instances end with it" wait_until 20 inside
# nothing answers any more: once to stop, twice without collecting, three times to leave now
left() { kill "$HEAD" 2>/dev/null; ! kill -0 "$HEAD" 2>/dev/null; }
ok "the third signal makes the head leave" wait_until 20 left
wait "$HEAD"
is "it does not say that all is well" "$?" 9
# shellcheck disable=SC2086
"$DAYFLY" rehearse web.yaml --isolate namespace --progress=plain $QUICK --set vars.seconds=1s \
    >out3 2>err3
is "the next rehearsal passes" "$?" 0
ok "no link, process or folder of either is left" wait_until 10 clean
is "links and mounts are as before" "$(links)|$(mounts)" "$BEFORE"
done_testing
