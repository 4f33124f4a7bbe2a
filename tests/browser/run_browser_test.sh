#!/bin/sh
# Takes the pages through headless Chromium; the exit code is 0 when all went well.
#
# CHROMIUM     the browser, /usr/bin/chromium when not given (Debian's package `chromium`)
# SCREENSHOTS  a folder for pictures of every page, none when not given
set -eu
root=$(cd "$(dirname "$0")/../.." && pwd)
cd "$root"
cargo build --quiet --package straylight-server --examples
target=$(cargo metadata --no-deps --format-version 1 | node -e 'let s="";process.stdin.on("data",d=>s+=d).on("end",()=>console.log(JSON.parse(s).target_directory))')
work=$target/browser-tests
mkdir -p "$work"
cp tests/browser/package.json tests/browser/package-lock.json tests/browser/collect.mjs "$work"
[ -d "$work/node_modules/playwright-core" ] || npm --prefix "$work" ci --silent
exec node "$work/collect.mjs" "$target/debug/examples/serve_for_tests" \
    "$target/debug/examples/fill_for_tests" "$root/assets/demo/photos" ${SCREENSHOTS:-}
