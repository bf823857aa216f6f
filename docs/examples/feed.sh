#!/usr/bin/env bash
# Reads siaga's report feed with curl and jq: one line a report, again and again.
#
#   feed.sh http://127.0.0.1:8081 /etc/siaga/api.token cursor.txt
#
# The cursor is kept in a file, written after the reports of it were worked off: what was not worked
# off comes again.
set -euo pipefail

server=$1 token_file=$2 cursor_file=$3

ask() { # parameters
    # The token comes from where no list of processes shows it.
    curl -sS --fail-with-body --max-time 90 --get "$@" "$server/api/v1/reports/feed" \
        -H @<(printf 'Authorization: Bearer %s\n' "$(cat "$token_file")")
}

pause=1
while true; do
    parameters=(--data-urlencode wait=30)
    if [ -s "$cursor_file" ]; then
        parameters+=(--data-urlencode "after=$(cat "$cursor_file")")
    fi
    if ! answer=$(ask "${parameters[@]}"); then
        echo "feed.sh: ${answer:-no answer}; again in $pause s" >&2
        sleep "$pause"
        pause=$((pause < 32 ? pause * 2 : 60))
        continue
    fi
    pause=1
    # The work itself.
    jq -r '.items[] | [.entry, .event, .report, .priority, .hazard, .area_name] | @tsv' <<<"$answer"
    jq -r '.next' <<<"$answer" >"$cursor_file.part"
    mv "$cursor_file.part" "$cursor_file"
done
