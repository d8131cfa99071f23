#!/bin/bash
# The one file is enough: it is static, small, and proves itself where there is nothing else.
. "$(dirname "$0")/lib.sh"
PATH=$PATH:/usr/sbin
need file
need readelf

interpreter() { readelf -lW "$DAYFLY" | grep -c INTERP; }
needed() { readelf -dW "$DAYFLY" | grep -c '(NEEDED)'; }
size() { stat -c %s "$DAYFLY"; }

like "the program is static" "$(file -b "$DAYFLY")" "*static*"
is "it asks for no loader" "$(interpreter)" 0
is "it asks for no shared library" "$(needed)" 0
ok "it is smaller than 9 MB" test "$(size)" -lt 9000000
echo "# $(size) bytes"
is "it says its version with nothing set" "$(env -i "$DAYFLY" --version)" "$("$DAYFLY" version)"

# Empty but for the program: no /etc, /dev, /proc, /tmp, no library.
mkdir "$WORK/root" && cp "$DAYFLY" "$WORK/root/dayfly"
if [ "$(id -u)" = 0 ]; then inside=(chroot); else inside=(unshare -r chroot); fi
if [ "$(id -u)" != 0 ] && ! unshare -r true 2>/dev/null; then
    echo "ok $((STORY_COUNT += 1)) - the self-test holds in an empty root # SKIP no user namespaces"
else
    said=$("${inside[@]}" "$WORK/root" /dayfly selftest 2>"$WORK/errors")
    is "the self-test ends well in an empty root" "$?" 0
    is "every check of it holds" "$(grep -c '^not ok' <<<"$said")" 0
    is "it ran as many as it planned" "1..$(grep -c '^ok' <<<"$said")" "$(tail -n 1 <<<"$said")"
    is "and said nothing else" "$(cat "$WORK/errors")" ""
    is "it left nothing there" "$(ls -A "$WORK/root")" dayfly
    grep '^not ok\|^#' <<<"$said" | sed 's/^/# /'
fi
done_testing
