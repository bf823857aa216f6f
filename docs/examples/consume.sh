#!/usr/bin/env bash
# A worker for siaga's report streams with nothing but redis-cli and jq.
#
#   consume.sh redis://desk:PASSWORD@127.0.0.1:6379 WORKER [SECONDS]
#
# Prints one line a report. What another worker left behind for SECONDS (60) is taken over. With
# WORKER "dead", prints the dead letters and ends. redis-cli must be 7.0 or newer, for --json.
set -euo pipefail

url=$1 worker=$2 idle=${3:-60}
group=${GROUP_NAME:-desk} prefix=${PREFIX:-siaga}
streams=()
for letter in 0 1 2 3 4 5 6 7 8 9 a b c d e f; do streams+=("$prefix:{$letter}:reports"); done

# redis-cli ends with 0 even where the server answers with an error: it is told apart here.
ask() { redis-cli -u "$url" --no-auth-warning -e --json "$@"; }

# One line an entry: its id and its fields as one JSON object.
# shellcheck disable=SC2016  # jq's variables, not the shell's
entries='.[] | select(.[1] != null) | .[0] as $id | .[1] as $all
    | ([range(0; $all | length; 2) | {($all[.]): $all[. + 1]}] | add | del(.v))
    | [$id, .] | tojson'

if [ "$worker" = dead ]; then
    for stream in "${streams[@]}"; do
        ask XRANGE "$stream-dead" - + | jq -r "$entries" | jq -r '.[1]
            | [.entry, .report, .dead_group, .dead_deliveries, .dead_at] | @tsv'
    done
    exit
fi

# The work itself; where it fails, the entry stays with the group and comes again.
work() { jq -r '[.event, .report, .priority, .hazard, .area_name] | @tsv' <<<"$1"; }

work_off() { # stream, answer with entries
    local stream=$1 line id
    while IFS= read -r line; do
        [ -n "$line" ] || continue
        id=$(jq -r '.[0]' <<<"$line")
        if work "$(jq -c '.[1]' <<<"$line")"; then
            ask XACK "$stream" "$group" "$id" >/dev/null
        fi
    done < <(jq -r "$entries" <<<"$2")
}

for stream in "${streams[@]}"; do
    ask XGROUP CREATE "$stream" "$group" 0 MKSTREAM >/dev/null 2>&1 || true
done
trap 'exit 0' TERM INT
while true; do
    for stream in "${streams[@]}"; do
        taken=$(ask XAUTOCLAIM "$stream" "$group" "$worker" $((idle * 1000)) 0 COUNT 10)
        work_off "$stream" "$(jq -c '.[1]' <<<"$taken")"
        fresh=$(ask XREADGROUP GROUP "$group" "$worker" COUNT 10 STREAMS "$stream" ">")
        # The streams by their names, or in pairs, as the protocol has it; null where nothing is new.
        work_off "$stream" "$(jq -c 'if type == "object" then [.[]][0] elif . == null then [] else .[0][1] end' <<<"$fresh")"
    done
    sleep 1 &
    wait $!
done
