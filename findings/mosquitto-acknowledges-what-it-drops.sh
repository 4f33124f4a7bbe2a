#!/usr/bin/env bash
# A broker acknowledges a message that is over its size limit, and nobody gets it
#
# Guess: QoS 1 means that an acknowledged message is with the broker; one that it refuses ends in
# an error or a closed connection.
#
# Package: mosquitto (2.0.11 of Debian 12), paho-mqtt 2.2.0
#
# Behaviour: with message_size_limit set, a larger message of MQTT 3.1.1 is acknowledged like any
# other and thrown away. The sender sees success. The log of the broker has a line at most.
#
# Output seen:
#     500 bytes: acknowledged, arrived
#     2000 bytes: acknowledged, did not arrive
#
# Where a user of Straylight meets it: events with a picture inside on a broker with a limit.
# Straylight's MqttPublish counts such an event as delivered, since the broker said so. Compare the
# limit of the broker with the size of your pictures.
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
    file.write(f"listener {port} 127.0.0.1\nallow_anonymous true\nmessage_size_limit 1000\n")
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
    sender.connect("127.0.0.1", port)
    sender.loop_start()
    acknowledged = {}
    for size in (500, 2000):
        sent = sender.publish(f"size/{size}", b"x" * size, 1)
        sent.wait_for_publish(10)
        acknowledged[size] = sent.is_published()
    sender.publish("end", b"x", 1)
    last.wait(10)
    sender.loop_stop()
    listener.loop_stop()
finally:
    broker.terminate()
    broker.wait()
there = {size: f"size/{size}" in arrived for size in acknowledged}
for size, confirmed in acknowledged.items():
    print(f"{size} bytes: {'' if confirmed else 'not '}acknowledged, {'arrived' if there[size] else 'did not arrive'}")
if not (all(acknowledged.values()) and there == {500: True, 2000: False}):
    sys.exit("changed: the broker no longer acknowledges what it drops")
PY
