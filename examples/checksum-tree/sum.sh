#!/bin/sh
# The work of one run: reads a path as a JSON string, writes the file's SHA-256 as a JSON string.
# run.sh submits no path with a quote, a backslash or a control character, so the quotes are all there is to take off.
set -eu
payload=$(cat)
path=${payload#\"}
path=${path%\"}
# A file that cannot be read now may be readable later: 75 asks for another attempt.
sum=$(sha256sum -- "$path") || exit 75
printf '"%s"\n' "${sum%% *}"
