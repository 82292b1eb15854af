#!/usr/bin/env bash
# Sums every file of a real tree while the server and the workers are being killed, and checks that nothing was lost or doubled.
#
#   examples/checksum-tree/run.sh [MAX_FILES]     default: 3000
#
# TREE=DIR       the tree (default: the Rust library sources, else the cargo registry)
# MAINSTAY=FILE  the binary (default: the last built of target/release/mainstay and target/debug/mainstay)
# SCRATCH=DIR    where everything is kept (default: a new temporary directory, removed when all is well)
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
max_files=${1:-3000}
server_kills_min=5
worker_kills_min=2

fail() {
  printf 'FAILED: %s (everything is kept in %s)\n' "$*" "${scratch:-?}" >&2
  exit 1
}

if [[ -z ${MAINSTAY:-} ]]; then
  # The one built last.
  MAINSTAY=$root/target/release/mainstay
  [[ $root/target/debug/mainstay -nt $MAINSTAY ]] && MAINSTAY=$root/target/debug/mainstay
fi
[[ -x ${MAINSTAY:-} ]] || { echo "no mainstay binary: build one, or name it with MAINSTAY=FILE" >&2; exit 64; }

if [[ -z ${TREE:-} ]]; then
  TREE="$(cd "$root" && rustc --print sysroot 2>/dev/null || true)/lib/rustlib/src"
  [[ -d $TREE ]] || TREE="${CARGO_HOME:-$HOME/.cargo}/registry/src"
fi
[[ -d $TREE ]] || { echo "no tree to sum: name one with TREE=DIR" >&2; exit 64; }

own_scratch=
if [[ -z ${SCRATCH:-} ]]; then
  own_scratch=yes
  SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/mainstay-checksum-tree.XXXXXX")
fi
scratch=$SCRATCH
mkdir -p "$scratch"
unset MAINSTAY_URL MAINSTAY_API_KEY
export MAINSTAY_DATA_DIR=$scratch/data

server=
listen=127.0.0.1:0
declare -A worker=()

# shellcheck disable=SC2317  # runs in the trap
clean_up() {
  local pid
  for pid in "$server" "${worker[@]}"; do
    [[ -z $pid ]] || kill -9 "$pid" 2>/dev/null || true
  done
}
trap clean_up EXIT

start_server() {
  "$MAINSTAY" serve --listen "$listen" >"$scratch/serve.out" 2>>"$scratch/serve.err" &
  server=$!
  disown "$server"
  local url=
  while [[ -z $url ]]; do
    kill -0 "$server" 2>/dev/null || fail "the server did not start: $(tail -n 3 "$scratch/serve.err")"
    sleep 0.02
    url=$(sed -n 's/^API: //p' "$scratch/serve.out")
  done
  listen=${url#http://}
  export MAINSTAY_URL=$url
}

start_worker() {
  "$MAINSTAY" work --queue sums --concurrency 2 --name "$1" -- "$here/sum.sh" \
    >>"$scratch/$1.out" 2>>"$scratch/$1.err" &
  worker[$1]=$!
  disown "${worker[$1]}"
}

# The counter of this name, from the last answer of `stats --json`.
counter() {
  local value
  value=$(grep -o "\"$1\":[0-9]*" "$scratch/stats.json" | head -n 1)
  printf '%s' "${value##*:}"
}

echo "tree:    $TREE"
find "$TREE" -type f -print | grep -v '["\\[:cntrl:]]' | LC_ALL=C sort | awk -v max="$max_files" 'NR <= max' >"$scratch/files"
total=$(wc -l <"$scratch/files")
((total >= 2000 || total >= max_files)) || fail "only $total files in $TREE"
while IFS= read -r path; do
  printf '{"kind":"file.sum","queue":"sums","payload":"%s",' "$path"
  printf '"constraints":{"lease_ms":2000,"max_lost_leases":1000,"max_attempts":5}}\n'
done <"$scratch/files" >"$scratch/tasks.ndjson"
echo "tasks:   $total"

started=$(date +%s%N)
start_server
start_worker one
start_worker two
"$MAINSTAY" submit --batch "$scratch/tasks.ndjson" --json >"$scratch/ids.ndjson" 2>"$scratch/submit.err" &
submitter=$!

# Kills are spread over the progress, so that each hits work on its way, however fast the machine is.
server_kills=0
worker_kills=0
ended=0
while ((ended < total)); do
  "$MAINSTAY" stats --json >"$scratch/stats.json" 2>"$scratch/stats.err" || { sleep 0.1; continue; }
  ended=$(($(counter completed) + $(counter failed) + $(counter canceled)))
  if ((server_kills < server_kills_min && ended >= total * (server_kills + 1) / (server_kills_min + 2))); then
    kill -9 "$server"
    while kill -0 "$server" 2>/dev/null; do sleep 0.01; done
    server_kills=$((server_kills + 1))
    printf 'killed the server (%d) at %d of %d\n' "$server_kills" "$ended" "$total"
    # Long enough for everybody to notice that nobody answers.
    sleep 0.3
    start_server
  elif ((worker_kills < worker_kills_min && ended >= total * (worker_kills + 1) / (worker_kills_min + 1))); then
    name=$( ((worker_kills % 2)) && echo two || echo one)
    kill -9 "${worker[$name]}"
    worker_kills=$((worker_kills + 1))
    printf 'killed worker %s (%d) at %d of %d\n' "$name" "$worker_kills" "$ended" "$total"
    start_worker "$name"
  else
    sleep 0.1
  fi
done
wait "$submitter" || fail "the submit ended with $?: $(tail -n 3 "$scratch/submit.err")"
took_ms=$((($(date +%s%N) - started) / 1000000))
((server_kills >= server_kills_min && worker_kills >= worker_kills_min)) || fail "too few kills: $server_kills, $worker_kills"

for name in one two; do
  kill -TERM "${worker[$name]}"
  while kill -0 "${worker[$name]}" 2>/dev/null; do sleep 0.02; done
  worker[$name]=
done

echo "checking every run against sha256sum"
[[ $(wc -l <"$scratch/ids.ndjson") -eq $total ]] || fail "$(wc -l <"$scratch/ids.ndjson") ids for $total tasks"
[[ $(grep -o '"run_ids":\["[^"]*"' "$scratch/ids.ndjson" | sort -u | wc -l) -eq $total ]] || fail "runs are not distinct"
[[ $(counter total_tasks) -eq $total ]] || fail "the server has $(counter total_tasks) tasks, $total were submitted"
tr '\n' '\0' <"$scratch/files" | xargs -0 sha256sum -- | cut -d ' ' -f 1 >"$scratch/expected"
# The ids by line, then each run as the API shows it, then all of them against the sums in one go.
sed 's/.*"line":\([0-9]*\).*/\1 &/; s/^\([0-9]*\) .*"run_ids":\["\([^"]*\)".*/\1 \2/' "$scratch/ids.ndjson" |
  sort -n | cut -d ' ' -f 2 >"$scratch/runs"
while read -r run; do
  "$MAINSTAY" run show "$run" --json || fail "run $run cannot be read"
done <"$scratch/runs" >"$scratch/shown.ndjson"
[[ $(wc -l <"$scratch/shown.ndjson") -eq $total ]] || fail "not every run was shown"
paste "$scratch/expected" "$scratch/shown.ndjson" | awk -F '\t' '
  function bad(what) { print "line " NR ": " what ": " $2; failed = 1 }
  {
    if ($2 !~ /"state":"completed"/) bad("not completed")
    if (gsub(/"result":"success"/, "&", $2) != 1) bad("not exactly one accepted success")
    rest = $2; outputs = 0
    while (match(rest, /"output":"[^"]*"/)) {
      outputs++
      if (substr(rest, RSTART, RLENGTH) != "\"output\":\"" $1 "\"") bad("the output is not " $1)
      rest = substr(rest, RSTART + RLENGTH)
    }
    if (outputs == 0) bad("no output")
  }
  END { exit failed }
' >"$scratch/wrong" || fail "$(head -n 3 "$scratch/wrong")"
checked=$(wc -l <"$scratch/shown.ndjson")

"$MAINSTAY" stats --json >"$scratch/stats.json"
kill -TERM "$server"
while kill -0 "$server" 2>/dev/null; do sleep 0.02; done
server=
"$MAINSTAY" doctor "$MAINSTAY_DATA_DIR" --json >"$scratch/doctor.json" || fail "the doctor found: $(cat "$scratch/doctor.json")"

lost=$(counter lease_expired)
printf '\nall is well\n'
printf '  files summed           %d, each completed once with the output of sha256sum\n' "$checked"
printf '  time                   %d.%03d s (%d runs/s under fire)\n' \
  $((took_ms / 1000)) $((took_ms % 1000)) $((total * 1000 / (took_ms + 1)))
printf '  server killed          %d times with SIGKILL\n' "$server_kills"
printf '  worker killed          %d times with SIGKILL\n' "$worker_kills"
printf '  attempts               %d (%d leases ended without a word)\n' "$(counter attempts_total)" "${lost:-0}"
printf '  log                    %d events, %d bytes on disk\n' \
  "$(counter latest_sequence)" "$(du -sb "$MAINSTAY_DATA_DIR/log" | cut -f 1)"
printf '  doctor                 %s\n' "$(cat "$scratch/doctor.json")"
[[ -z $own_scratch ]] || rm -rf "$scratch"
