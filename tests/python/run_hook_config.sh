#!/bin/sh
# Lets the unmodified Python SDK read and write the same hook_config.json as Straylight; the exit
# code is 0 when every step passed.
#
# SDK_VERSION   the version of geti-sdk, 2.13.1 when not given
# SDK_VENV      the virtual environment, target/venv-sdk-<version> when not given; made if missing
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
version=${SDK_VERSION:-2.13.1}
venv=${SDK_VENV:-$root/target/venv-sdk-$version}
if [ ! -x "$venv/bin/python" ]; then
    echo "making $venv with geti-sdk $version"
    python3 -m venv "$venv"
fi
"$venv/bin/python" -c "import geti_sdk" 2>/dev/null || "$venv/bin/pip" install --quiet "geti-sdk==$version"
cd "$root"
cargo build --quiet --package straylight-hooks --example hook_config
target=$(cargo metadata --no-deps --format-version 1 | "$venv/bin/python" -c 'import json,sys; print(json.load(sys.stdin)["target_directory"])')
exec "$venv/bin/python" tests/python/hook_config.py \
    --program "$target/debug/examples/hook_config" --deployment assets/demo/deployment
