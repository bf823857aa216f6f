#!/usr/bin/env bash
# Reads siaga's report feed with curl and jq: one line a report, again and again.
#
#   feed.sh http://127.0.0.1:8081 /etc/siaga/api.token cursor.txt
#
# The cursor is kept in a file, written after the reports of it were worked off: what was not worked
# off comes again.
set -euo pipefail

server=$1 token_file=$2 cursor_file=$3
# curl reads the header from a file, so that no list of processes shows the token.
header=$(mktemp)
trap 'rm -f "$header"' EXIT
trap 'exit 0' TERM INT
printf 'Authorization: Bearer %s\n' "$(cat "$token_file")" >"$header"

pause=1
while true; do
    cursor=$(cat "$cursor_file" 2>/dev/null || true)
    answer=$(curl -sS --fail-with-body --max-time 90 -H "@$header" -G \
        --data-urlencode "wait=30" ${cursor:+--data-urlencode "after=$cursor"} \
        "$server/api/v1/reports/feed" & wait $!) || {
        echo "feed.sh: ${answer:-no answer}; again in $pause s" >&2
        sleep "$pause" & wait $!
        pause=$((pause < 32 ? pause * 2 : 60))
        continue
    }
    pause=1
    # The work itself.
    jq -r '.items[] | [.entry, .event, .report, .priority, .hazard, .area_name] | @tsv' <<<"$answer"
    jq -r '.next' <<<"$answer" >"$cursor_file.part"
    mv "$cursor_file.part" "$cursor_file"
done
