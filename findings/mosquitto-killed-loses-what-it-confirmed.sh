#!/usr/bin/env bash
# A broker with persistence that is killed forgets messages that it has confirmed
#
# Guess: with `persistence true` a message of QoS 1 for a subscriber that is away is on the disk when the
# broker confirms it.
#
# Package: mosquitto (2.0.11 of Debian 12)
#
# Behaviour: it is in memory alone. The broker writes its file every 30 minutes (`autosave_interval`)
# and when it ends in order; killed in between, or without power, it has lost what came since. With
# `autosave_on_changes true` and `autosave_interval 1` it writes at nearly every message: of messages in
# quick succession the last may be lost.
#
# Output seen:
#     persistence true: 5 confirmed, 0 there after kill -9
#     with autosave at every change: 5 confirmed, 5 there after kill -9
#
# Where a user of Straylight meets it: MqttPublish counts an event as delivered when the broker has
# confirmed it. Where events must survive a broker that loses power, set the two lines.
set -euo pipefail
work=$(mktemp -d)
trap 'kill -9 $(cat "$work/pid") 2> /dev/null || true; rm -rf "$work"' EXIT
for program in mosquitto mosquitto_pub mosquitto_sub; do
    command -v "$program" > /dev/null || { echo "this finding needs the program $program" >&2; exit 2; }
done
cd "$work"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')

start() {
    : > log
    mosquitto -c broker.conf 2> log & echo $! > pid
    until grep -q running log; do sleep 0.1; done
}

# Lines of the configuration; prints how many messages are confirmed and how many are there later.
lost() {
    rm -f mosquitto.db
    printf 'listener %s 127.0.0.1\nallow_anonymous true\npersistence true\npersistence_location %s/\nuser %s\n%b' \
        "$port" "$work" "$(id -un)" "$1" > broker.conf
    start
    mosquitto_sub -p "$port" -i reader -c -q 1 -t t -E
    kill "$(cat pid)"; wait "$(cat pid)" || true  # the session is saved
    start
    confirmed=0
    for number in 1 2 3 4 5; do
        # Ends with 0 once the broker has confirmed.
        if mosquitto_pub -p "$port" -q 1 -t t -m "$number"; then confirmed=$((confirmed + 1)); fi
    done
    { kill -9 "$(cat pid)"; wait "$(cat pid)" || true; } 2> /dev/null
    start
    mosquitto_pub -p "$port" -q 1 -t t -m end
    there=$(mosquitto_sub -p "$port" -i reader -c -q 1 -t t -W 10 2> /dev/null | sed '/end/q' | grep -vc end || true)
    kill "$(cat pid)"; wait "$(cat pid)" || true
    echo "$confirmed confirmed, $there there after kill -9"
}

plain=$(lost '')
careful=$(lost 'autosave_on_changes true\nautosave_interval 1\n')
echo "persistence true: $plain"
echo "with autosave at every change: $careful"
[[ "$plain" = "5 confirmed, 0 there after kill -9" && "$careful" = "5 confirmed, "[45]" there after kill -9" ]] \
    || { echo "changed: a killed broker has other messages than before" >&2; exit 1; }
