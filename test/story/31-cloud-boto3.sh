#!/bin/bash
# Debian's python3-boto3, which we did not write, drives every call of the rehearsal cloud.
. "$(dirname "$0")/lib.sh"
need jq; need curl
PYTHON=$(test -x /usr/bin/python3 && echo /usr/bin/python3 || command -v python3 || true)
[ -n "$PYTHON" ] && "$PYTHON" -c 'import boto3' 2>/dev/null || skip_all "python3-boto3 is not installed"

cloud_start --boot 0s --pending 0s --api 0s --terminate 0s --visible 500ms --seed 11 \
    --capacity m6i.large=2
export CLOUD_URL
"$PYTHON" "$(dirname "$0")/cloud_boto3.py"
code=$?
left=$(truth .totals.left)
[ "$left" = 0 ] || { echo "# the truth has $left things left"; exit 1; }
exit $code
