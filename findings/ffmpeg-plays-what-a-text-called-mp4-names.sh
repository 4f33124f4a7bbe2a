#!/usr/bin/env bash
# ffmpeg plays another file when it is given a text that is called .mp4
#
# Guess: `ffmpeg -i upload.mp4` reads upload.mp4 and nothing else.
#
# Package: ffmpeg (5.1.9 of Debian 12)
#
# Behaviour: the format is told by the content. A playlist (of ffmpeg's concat or of HLS) is one under
# any name, and the frames are those of the files that it names. `-protocol_whitelist file` alone
# changes nothing; `-format_whitelist` with the containers that are meant ends it with an error.
#
# Output seen:
#     list.mp4 (a text of 36 bytes): 5 frames
#     with -format_whitelist: 0 frames, Format not on whitelist
#
# Where a user of Straylight meets it: nowhere; Straylight gives ffmpeg and ffprobe such a list for
# every file. Whoever hands the uploads of others to ffmpeg should do the same.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v ffmpeg > /dev/null || { echo "this finding needs the program ffmpeg" >&2; exit 2; }
cd "$work"
ffmpeg -v error -f lavfi -i testsrc=size=64x48:rate=5:duration=1 other.mp4
printf 'ffconcat version 1.0\nfile other.mp4\n' > list.mp4

frames() {
    ffmpeg -v error "$@" -f framemd5 - 2> complaint | grep -vc '^#' || true
}

plain=$(frames -protocol_whitelist file -i file:list.mp4)
guarded=$(frames -protocol_whitelist file -format_whitelist mov,mp4,m4a,3gp,3g2,mj2 -i file:list.mp4)
said=$(grep -o 'Format not on whitelist' complaint || true)
echo "list.mp4 (a text of $(stat -c %s list.mp4) bytes): $plain frames"
echo "with -format_whitelist: $guarded frames, $said"
[ "$plain/$guarded/$said" = "5/0/Format not on whitelist" ] \
    || { echo "changed: ffmpeg treats such a text in another way" >&2; exit 1; }
