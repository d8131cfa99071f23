#!/bin/sh
# report.sh - the report as a reader sees it: chromium without network, with scripts impossible.
#
#   test/browser/report.sh [BUILD_DIR]        TAP on stdout; pictures stay in BUILD_DIR/browser
#
# The pages come from make_report (runs that never happened) and from one rehearsal.  Checked: the text of the page, that
# hostile names make no element, that every chart has pixels of its series' colours across its
# width, in light, in dark, and with the style sheet removed (as a strict policy would).
set -eu
cd "$(dirname "$0")/../.."
build=${1:-build}
out=$build/browser
check=test/browser/pixels.py
make_report=$build/test/unit/make_report
count=0
failed=0

ok() { # ok STATUS NAME
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        failed=$((failed + 1))
    fi
}

for tool in chromium convert python3; do
    if ! command -v $tool >/dev/null; then
        echo "1..0 # SKIP $tool is not installed"
        exit 0
    fi
done
[ -x "$make_report" ] || ninja -C "$build" test/unit/make_report >/dev/null
rm -rf "$out"
mkdir -p "$out/plain" "$out/hostile" "$out/profile"
"$make_report" "$out/plain" rehearsal passing >/dev/null
"$make_report" "$out/hostile" hostile >/dev/null
page=$(realpath "$out")

# browser ARGS...: no name is resolved, no profile is kept; 60 s are for a machine that is busy.
browser() {
    timeout 60 chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --no-first-run \
        --disable-extensions --disable-background-networking \
        --host-resolver-rules='MAP * ~NOTFOUND' --user-data-dir="$page/profile" "$@" \
        2>>"$out/chromium.log"
}
shot() { # shot PAGE PNG [ARGS...]
    from=$1
    to=$2
    shift 2
    browser --window-size=1280,4700 --screenshot="$page/$to" "$@" "file://$page/$from" >/dev/null
    convert "$out/$to" -depth 8 "$out/${to%.png}.ppm"
}

# --- text ---
browser --dump-dom "file://$page/plain/report.html" >"$out/plain.dom"
for text in PASS REHEARSAL 'p99 &lt; 80ms in steps' 'Latency spectrum' 'Fleet life' \
    'nothing left behind' 'Life of each instance' 'To run it again' 'How it was measured'; do
    grep -q -- "$text" "$out/plain.dom" && status=0 || status=1
    ok $status "the page says \"$text\""
done
tables=$(grep -o '<table>' "$out/plain.dom" | wc -l)
[ "$tables" -ge 10 ] && status=0 || status=1
ok $status "the page has its tables ($tables)"

# --- hostile names, with the page's own policy taken away ---
sed '/Content-Security-Policy/d; s/style-src .unsafe-inline.">//' "$out/hostile/report.html" \
    >"$out/hostile/open.html"
browser --dump-dom "file://$page/hostile/open.html" >"$out/hostile.dom"
grep -q '&lt;script&gt;alert(1)' "$out/hostile.dom" && status=0 || status=1
ok $status "hostile names are shown as text"
grep -q -i -E '<(script|img|iframe|object|embed|link)[ >]' "$out/hostile.dom" && status=1 || status=0
ok $status "hostile names make no element"

# --- pictures ---
shot plain/report.html light.png
python3 $check "$out/light.ppm" light && status=0 || status=1
ok $status "light: every chart has its colours across its width"
shot plain/report.html dark.png --blink-settings=preferredColorScheme=0
python3 $check "$out/dark.ppm" dark && status=0 || status=1
ok $status "dark: every chart has its colours across its width"
sed '/^<style>$/,/^<\/style>/d' "$out/plain/report.html" >"$out/plain/bare.html"
shot plain/bare.html bare.png
python3 $check "$out/bare.ppm" bare && status=0 || status=1
ok $status "without style sheet: the charts are still drawn"

# --- the report of a real rehearsal says what its result.json says ---
dayfly=$build/dayfly
if [ -x "$dayfly" ]; then
    run=$page/real
    mkdir -p "$run"
    XDG_STATE_HOME=$run/state timeout 120 "$dayfly" rehearse examples/http.yaml \
        --out "$run/results" >"$run/out" 2>"$run/err" && status=0 || status=1
    ok $status "a rehearsal passes"
    cp "$run"/results/*/report.html "$out/real.html"
    browser --dump-dom "file://$page/real.html" | sed 's/<[^>]*>/ /g' | tr -s ' \n' ' ' >"$out/real.txt"
    python3 - "$run"/results/*/result.json "$out/real.txt" <<'PY' && status=0 || status=1
import json, sys
result, text = json.load(open(sys.argv[1])), open(sys.argv[2]).read()
missing = [w for w in [result["run"], result["name"], result["verdict"],
           *[t["expression"].replace("<", "&lt;").replace(">", "&gt;") for t in result["thresholds"]],
           *[t["value"] for t in result["thresholds"] if t["value"]]]
           if str(w) not in text]
print("# missing:", missing) if missing else None
sys.exit(bool(missing))
PY
    ok $status "it shows run, name, verdict and thresholds of result.json"
    shot real.html real.png
    python3 $check "$out/real.ppm" light errors && status=0 || status=1
    ok $status "a real report: every chart has its colours across its width"
fi

# --- and the check can fail: a page whose charts are gone does not pass ---
sed 's/<path[^>]*>//g' "$out/plain/report.html" >"$out/plain/empty.html"
shot plain/empty.html empty.png
python3 $check "$out/empty.ppm" light >/dev/null && status=1 || status=0
ok $status "a page without charts is noticed"
rm -f "$out"/*.ppm

echo "1..$count"
[ $failed -eq 0 ]
