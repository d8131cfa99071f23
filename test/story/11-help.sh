#!/bin/bash
# Help as a newcomer meets it: it fits 80 columns, begins with examples, every example is a command
# line that is understood, and the pages made from the tables are up to date.
. "$(dirname "$0")/lib.sh"
cd "$STORY_ROOT" || bail "no root"
need python3

"$DAYFLY" > "$WORK/overview"; code=$?
is "dayfly alone ends with 0" "$code" 0
ok "it is shorter than 40 lines" test "$(wc -l < "$WORK/overview")" -lt 40
"$DAYFLY" --help > "$WORK/option"
"$DAYFLY" help > "$WORK/command"
ok "dayfly --help says the same" cmp "$WORK/overview" "$WORK/option"
ok "dayfly help says the same" cmp "$WORK/overview" "$WORK/command"

commands=$(sed -n 's/^  \([a-z]*\)  *[^ ].*/\1/p' "$WORK/overview" | grep -v '^dayfly$')
ok "commands are listed" test "$(wc -w <<< "$commands")" -ge 15
same=0 wide=0 first=0
for command in $commands; do
    "$DAYFLY" help "$command" > "$WORK/help" || { echo "# dayfly help $command failed"; same=1; }
    "$DAYFLY" "$command" --help | cmp -s - "$WORK/help" || { echo "# $command differs"; same=1; }
    "$DAYFLY" -h "$command" | cmp -s - "$WORK/help" || { echo "# -h $command differs"; same=1; }
    awk -v c="$command" 'length > 80 {print "# " c ": " $0; bad = 1} END {exit bad}' \
        "$WORK/help" || wide=1
    sed -n 3,4p "$WORK/help" | grep -q '^  dayfly ' || { echo "# $command: no example"; first=1; }
done
is "dayfly help X, dayfly X --help and dayfly -h X are the same text" "$same" 0
is "no line of help is wider than 80 columns" "$wide" 0
is "every page begins with an example" "$first" 0

# Every command line that help, README and docs show is parsed; --help keeps it from doing anything.
cat > "$WORK/lines.py" <<'PY'
import glob, re, shlex, subprocess, sys
program, bad, count = sys.argv[1], 0, 0
for name in ["README.md"] + glob.glob("docs/*.md") + glob.glob("examples/*.yaml") + glob.glob("src/*/README.md"):
    inside = name.endswith(".yaml")
    for number, line in enumerate(open(name), 1):
        if line.startswith("```"):
            inside = not inside
            continue
        found = re.match(r"(?:#|\$)?\s*((?:\./)?(?:build/)?dayfly [a-z-]+.*)", line.strip()) if inside else None
        if not found or re.match(r"(?:\./)?(?:build/)?dayfly [a-z]+:", found[1]):
            continue
        text = re.split(r"\s{2,}|\s+#|\s[|>&]|;", found[1])[0]
        if re.search(r"\[|\b(?:COMMAND|FILE|URL|RUN|KEY|FLEET)\b|…|\.\.\.", text):
            continue
        count += 1
        answer = subprocess.run([program] + shlex.split(text)[1:] + ["--help"],
                                capture_output=True, text=True)
        if answer.returncode:
            bad += 1
            print(f"{name}:{number}: {text}: {answer.stderr.strip()}")
print(count, "command lines")
sys.exit(bad > 0 or count < 40)
PY
ok "every command line in help, README, docs and examples is understood" \
    python3 "$WORK/lines.py" "$DAYFLY"

ok "docs/commands.md is up to date (script/docs)" diff -u docs/commands.md <("$DAYFLY" help --markdown)
ok "docs/plan.md is up to date (script/docs)" diff -u docs/plan.md <("$DAYFLY" explain --markdown)
codes=$("$DAYFLY" help exit-codes)
for code in 0 1 2 3 4 5 6 7 8 9 11 99 130 143; do
    grep -qE "^ +$code  " <<< "$codes" || echo "# no $code" >> "$WORK/missing"
done
ok "every exit code is explained in one place" test ! -e "$WORK/missing"

said=$("$DAYFLY" rehears x.yaml 2>&1); code=$?
is "a mistyped command is refused" "$code" 2
like "and what was meant is said" "$said" "*did you mean 'rehearse'\\?*"
said=$("$DAYFLY" rehearse --dudd 3% x.yaml 2>&1); code=$?
is "a mistyped option is refused" "$code" 2
like "and what was meant is said" "$said" "*did you mean '--dud'\\?*"
said=$("$DAYFLY" rehearse 2>&1); code=$?
is "a missing argument is refused" "$code" 2
like "and says which" "$said" "*rehearse needs FILE*"
said=$("$DAYFLY" rehearse nowhere.yaml 2>&1); code=$?
is "a missing file is refused" "$code" 2
like "with its name" "$said" "*nowhere.yaml*"
done_testing
