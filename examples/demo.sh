#!/usr/bin/env bash
# The main job of tq, on real files: hundreds of commands are queued, their worker is killed half-way, another one goes
# on, and the end proves that every job ran and that none was lost.
#
# usage: examples/demo.sh [PATH_TO_TQ]      FILES=n: take so many files (100)
set -euo pipefail

tq=${1:-$(command -v tq)} || { echo "demo: there is no tq on PATH; ./dev demo builds one" >&2; exit 1; }
PATH=$(dirname "$(realpath "$tq")"):$PATH
files=${FILES:-100}
slots=$(nproc)

folder=$(mktemp -d "${TMPDIR:-/tmp}/tq-demo.XXXXXX")
cd "$folder"
export TQ_FILE=$folder/jobs.tq
worker=
trap '[[ -z $worker ]] || kill "$worker" 2>/dev/null || true; rm -rf "$folder"' EXIT

if [[ -t 1 && ${TERM:-dumb} != dumb && -z ${NO_COLOR:-} ]]; then
  bold=$'\e[1m' dim=$'\e[2m' green=$'\e[32m' red=$'\e[31m' plain=$'\e[0m'
else
  bold='' dim='' green='' red='' plain=''
fi
title() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }
# show COMMAND...: prints it as it would be typed, and runs it.
show() {
  printf '%s$%s %s\n' "$dim" "$plain" "$*"
  "$@"
}
# prove WORDS COMMAND...: the command says whether the words are true.
prove() {
  if "${@:2}"; then
    printf '  %sproved%s  %s\n' "$green" "$plain" "$1"
  else
    printf '  %sFALSE%s   %s\n' "$red" "$plain" "$1"
    exit 1
  fi
}
start_worker() {
  echo "${dim}\$${plain} tq worker -j$slots &"
  tq -q worker -j"$slots" 2>worker.log &
  worker=$!
}
seconds() { printf '%s.%02d s' $(($1 / 100)) $(($1 % 100)); }
now() { echo $((${EPOCHREALTIME/[.,]/} / 10000)); }  # hundredths of a second

# --- what there is to do: real files of some size, the machine's documentation or whatever else it has ------------------

for place in /usr/share/doc /usr/share /usr /etc; do
  find "$place" -xdev -type f -readable -size +8k -size -400k 2>/dev/null | sort | head -n "$files" >inputs || true
  (($(wc -l <inputs) < files)) || break
done
mapfile -t inputs <inputs
mkdir packed

count=${#inputs[@]}
title "Queue $((2 * count + 1)) commands: checksum and compress $count files of $place, and one that must fail"
pack='xz -9e -k -c "$1" >"$2.part" && mv "$2.part" "$2"'  # may run twice: the second run replaces the first one's file
command -v xz >/dev/null || pack='gzip -9 -c "$1" >"$2.part" && mv "$2.part" "$2"'
echo "${dim}\$${plain} tq add -Q sums -- sha256sum FILE"
echo "${dim}\$${plain} tq add -Q packs -- sh -c '$pack' pack FILE packed/NUMBER"
started=$(now)
for i in "${!inputs[@]}"; do
  tq add -Q sums -- sha256sum "${inputs[i]}" >>ids.sums
  tq add -Q packs -- sh -c "$pack" pack "${inputs[i]}" "packed/$i" >>ids.packs
done
echo "${dim}\$${plain} tq add --retries 2 --backoff const:200ms -- gzip -t ${inputs[0]}"
tq add --retries 2 --backoff const:200ms -- gzip -t "${inputs[0]}" | tee ids.bad
echo "all queued in $(seconds $(($(now) - started))), each of them safe on disk when its 'tq add' ended"

# --- a worker that is killed -------------------------------------------------------------------------------------------

title "Run them, $slots at a time, in another process; kill it with -9 half-way"
start_worker
{ tq events -f --type succeeded || true; } | sed "${count}q" >/dev/null  # sleeps until half have succeeded
echo "${dim}\$${plain} kill -9 $worker"
{ kill -9 "$worker"; wait "$worker" || true; } 2>/dev/null  # or the shell would report its death
worker=
show tq status
echo
echo "What it had in hand was killed with it, and is ready again:"
show tq events --type crashed

title "Start another one, and wait for the rest"
start_worker
started=$(now)
show tq wait --all --progress || true  # 1: one of them did not succeed
echo "over after $(seconds $(($(now) - started)))"
kill "$worker"
wait "$worker" || true
worker=

title "How it went"
show tq status
echo
show tq log "$(tail -n 1 ids.sums)"
echo
show tq dead ls
echo
show tq log "$(cat ids.bad)"

# --- proof -------------------------------------------------------------------------------------------------------------

title "Proof"
ids_in() { tq -q ls --state "$1" | sort -n; }
same() { diff <(sort -n "$1") "$2" >&2; }
ids_in succeeded >succeeded
ids_in failed >failed
cat ids.sums ids.packs >ids.good
unfinished=$(tq -q ls --state blocked,scheduled,ready,running,retrying | wc -l)
sha256sum "${inputs[@]}" >expected.sums
while read -r id; do tq log "$id"; done <ids.sums >logged.sums
for i in "${!inputs[@]}"; do
  { xz -dc "packed/$i" 2>/dev/null || gzip -dc <"packed/$i"; } | sha256sum
done | cut -d' ' -f1 >unpacked.sums

prove "each of the $(wc -l <ids.good) ids that were printed has succeeded, and no other" same ids.good succeeded
prove "the one that must fail is the only one that did" same ids.bad failed
prove "it was tried 3 times" grep -q '"attempt":3,' <(tq --json show "$(cat ids.bad)")
prove "nothing is left over" test "$unfinished" -eq 0
prove "the logs of all checksums are what sha256sum says now" sha256sum --quiet -c logged.sums
prove "in the order in which they were queued, each once" diff expected.sums logged.sums
prove "all files that were compressed unpack to what they were" diff <(cut -d' ' -f1 expected.sums) unpacked.sums
prove "no file is half-written" test -z "$(find packed -name '*.part')"
prove "every record, index, counter and byte of output agrees: tq check --deep" tq -q check --deep

title "Next"
cat <<END
  tq add -- make -C project      queue something of your own: the store is ~/.local/state/tq/default.tq
  tq worker                      run it, in another terminal, now or after the next boot
  tq wait --all --progress       or: tq log -f 1, tq status, tq --help
  README.md                      the rest, and how to embed it; ./dev test proves it
END
