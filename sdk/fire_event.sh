#!/bin/sh
# Fires one sample of each kind of event at a Glimpse server and prints its answers.
set -eu

usage() {
  cat <<'USAGE'
Usage: fire_event.sh [PROJECT] [URL]

Fires sample events with curl and prints the server's answers.

  PROJECT  project that the events belong to   (default: $GLIMPSE_PROJECT, else "demo")
  URL      where Glimpse runs                  (default: $GLIMPSE_URL, else http://127.0.0.1:5006)

The last sample is wrong on purpose and shows the 400 that tells what is missing.
USAGE
}

case "${1:-}" in
  -h | --help)
    usage
    exit 0
    ;;
  -*)
    usage >&2
    exit 2
    ;;
esac

project=${1:-${GLIMPSE_PROJECT:-demo}}
url=${2:-${GLIMPSE_URL:-http://127.0.0.1:5006}}
url=${url%/}

command -v curl >/dev/null || {
  echo "fire_event.sh needs curl." >&2
  exit 1
}

now="$(date +%s)000"
# Any version of UUID does as a session id; this one is made of the time and the process.
session=$(printf '%08x-0000-4000-8000-%012x' "$(date +%s)" "$$")
failures=0

# fire NAME EXPECTED_STATUS BODY
fire() {
  printf '\n%s\n' "$1"
  answer=$(printf '%s' "$3" | curl -sS --max-time 10 -w '\n%{http_code}' \
    -H 'Content-Type: application/json' --data-binary @- "$url/event") || {
    echo "  no answer from $url" >&2
    exit 1
  }
  status=$(printf '%s\n' "$answer" | tail -n 1)
  printf '  %s %s\n' "$status" "$(printf '%s\n' "$answer" | sed '$d')"
  if [ "$status" != "$2" ]; then
    echo "  expected $2" >&2
    failures=$((failures + 1))
  fi
}

# event NAME PROPERTIES PATH
event() {
  printf '{"projectId":"%s","event":"%s","timestamp":%s,"sessionId":"%s","properties":%s,"context":{"url":"https://shop.example%s","path":"%s","title":"Sample shop","referrer":"https://www.google.com/","viewport":"1440x900","language":"en-GB","timezone":"Europe/London"}}' \
    "$project" "$1" "$now" "$session" "$2" "$3" "$3"
}

echo "Project $project at $url"

fire "A page view" 200 "$(event page_view '{}' /)"

fire "An event of your own" 200 "$(event video_played '{"seconds":42,"quality":"hd"}' /tour)"

fire "A conversion" 200 "$(event purchase '{"value":64,"currency":"EUR","items":1}' /checkout)"

fire "A batch" 200 "{\"projectId\":\"$project\",\"sentAt\":$now,\"events\":[$(event page_view '{}' /product/drift-kettle),$(event add_to_cart '{"product":"drift-kettle","price":64}' /product/drift-kettle)]}"

fire "An event of the first SDK, with a session id that is no UUID" 200 \
  "{\"projectId\":\"$project\",\"event\":\"Page View\",\"timestamp\":$now,\"anonymousId\":\"anon_sample\",\"sessionId\":\"sess_4f1c9a2b7d3e\",\"properties\":{},\"context\":{\"url\":\"https://shop.example/about\",\"path\":\"/about\",\"screen\":{\"width\":1440,\"height\":900},\"timezone\":\"Europe/London\"}}"

fire "An event without a name or a time, which is refused" 400 "{\"projectId\":\"$project\",\"properties\":{}}"

printf '\n'
if [ "$failures" -gt 0 ]; then
  echo "$failures answers were not as expected." >&2
  exit 1
fi
echo "All answers are as expected."
