#!/bin/bash
# Ctrl-C once, twice and three times, and SIGTERM: in launch, in load, in teardown.
. "$(dirname "$0")/faults.sh"

S=$WORK/small.yaml
asked() { follow "$1" && truth_is 'any(.calls[]; .action == "CreateFleet")' true; }
ending() { follow "$1" && truth_is 'any(.calls[]; .action == "TerminateInstances")' true; }
loads() { has_said "$1" progress ".answers > 0"; }
strike() { kill "-$2" "$(head_pid "$1")"; }
stopped() { has_said "$1" stop ".level == $2"; }

begin early "--boot 2s"
begin once "" "$S" --set vars.seconds=30s --set 'collect=[{nodes: load, from: /etc/hostname}]'
begin twice "" "$S" --set vars.seconds=30s --set 'collect=[{nodes: load, from: /etc/hostname}]'
begin thrice "--terminate 8s" "$S" --set vars.seconds=30s
begin late "--terminate 2s" "$S" --set vars.seconds=1s
begin term "" "$S" --set vars.seconds=30s

ok "launch: instances are asked for" wait_until 30 asked early
strike early INT
for name in once twice thrice term; do ok "$name: the load runs" wait_until 30 loads $name; done
strike once INT
strike term TERM
strike twice INT
strike thrice INT
ok "the second stop comes after the first" wait_until 10 stopped twice 1
strike twice INT
ok "so does the third" wait_until 10 stopped thrice 1
strike thrice INT
ok "each time it says what it does" wait_until 10 stopped thrice 2
began=$SECONDS
strike thrice INT

finish thrice
is "three times: out at once, with what may be left as exit 9" "$CODE" 9
ok "in a few seconds" test $((SECONDS - began)) -le 12
is "every instance is told to end all the same" \
    "$(truth '[.instances[] | select(.state == "running" or .state == "pending")] | length')" 0
like "and says what to do" "$(cat "$ERR" "$OUT")" '*dayfly down*'
ok "late: instances are being ended" wait_until 30 ending late
strike late INT

finish early
is "once in launch: 130" "$CODE" 130
nothing_left "early: nothing is left"
finish once
is "once in load: 130" "$CODE" 130
ok "files were collected" said collect true
ok "what was measured is kept" test "$(jq '[.phases[].requests_done // .phases[].done] | add' "$RESULT")" -gt 0
like "the summary says who stopped it" "$(cat "$OUT")" '*STOPPED*'
nothing_left "once: nothing is left"
finish twice
is "twice: 130 too" "$CODE" 130
nothing_left "twice: nothing is left"
finish late
is "once in teardown: 130, and it goes on to the end" "$CODE" 130
ok "and says that all is gone" said down '.verified == true'
nothing_left "late: nothing is left"
finish term
is "SIGTERM: 143" "$CODE" 143
nothing_left "term: nothing is left"
done_testing
