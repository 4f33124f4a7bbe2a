#!/usr/bin/env bash
# paho-mqtt reports a message as failed and delivers it later
#
# Guess: a message published before the connection is up either waits, with success, or fails and
# is gone.
#
# Package: paho-mqtt 2.2.0 (needs the program mosquitto)
#
# Behaviour: both calls of publish return MQTT_ERR_NO_CONN, and wait_for_publish raises
# RuntimeError "Message publish failed". The message with QoS 1 is in the queue all the same and
# arrives once the client connects; the one with QoS 0 is lost. Who publishes again after the error
# sends twice.
#
# Output seen:
#     QoS 0: MQTT_ERR_NO_CONN, arrived 0 times
#     QoS 1: MQTT_ERR_NO_CONN, "Message publish failed", arrived 1 time
#
# Where a user of Straylight meets it: a Python bridge between Straylight's hooks and a broker.
# Straylight's own MqttPublish (QoS 1) counts an event as delivered when the broker acknowledged
# it, and else tries again until the hook's attempts are used up; a repetition has the same `key`.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v mosquitto > /dev/null || { echo "this finding needs the program mosquitto" >&2; exit 2; }
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    paho-mqtt==2.2.0
cd "$work"
"$work/venv/bin/python" - <<'PY'
import socket
import subprocess
import sys
import threading

from paho.mqtt.client import CallbackAPIVersion, Client

with socket.socket() as free:
    free.bind(("127.0.0.1", 0))
    port = free.getsockname()[1]
with open("broker.conf", "w") as file:
    file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
broker = subprocess.Popen(["mosquitto", "-c", "broker.conf"], stderr=subprocess.PIPE, text=True)
for line in broker.stderr:
    if "running" in line:
        break
arrived, subscribed, last = [], threading.Event(), threading.Event()


def receive(_client, _data, message):
    arrived.append(message.topic)
    if message.topic == "end":
        last.set()


try:
    listener = Client(CallbackAPIVersion.VERSION2)
    listener.on_connect = lambda client, *_: client.subscribe("#", 1)
    listener.on_subscribe = lambda *_: subscribed.set()
    listener.on_message = receive
    listener.connect("127.0.0.1", port)
    listener.loop_start()
    subscribed.wait(10)

    sender = Client(CallbackAPIVersion.VERSION2)
    early = {0: sender.publish("early/0", b"x", 0), 1: sender.publish("early/1", b"x", 1)}
    try:
        early[1].wait_for_publish(1)
        error = "none"
    except RuntimeError as problem:
        error = str(problem).split(":")[0]
    sender.connect("127.0.0.1", port)
    sender.loop_start()
    sender.publish("end", b"x", 1)
    last.wait(10)
    sender.loop_stop()
    listener.loop_stop()
finally:
    broker.terminate()
    broker.wait()
counts = [arrived.count(f"early/{quality}") for quality in (0, 1)]
print(f"QoS 0: {early[0].rc.name}, arrived {counts[0]} times")
print(f'QoS 1: {early[1].rc.name}, "{error}", arrived {counts[1]} time')
if not (counts == [0, 1] and early[1].rc.name == "MQTT_ERR_NO_CONN" and error == "Message publish failed"):
    sys.exit("changed: messages before the connection are treated in another way")
PY
