#!/usr/bin/env bash
# Measures the captures: writes manifest.json (with the expectations of expected.json) and the README's table of numbers.
set -euo pipefail
PCAPS=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# One JSON object a capture. Expectations without any alert mean that silence is required.
measure() {
  local path=$PCAPS/$1 packets seconds
  packets=$(capinfos -M -r -T -c "$path" | cut -f2)
  seconds=$(capinfos -M -r -T -u "$path" | cut -f2)
  jq -n --slurpfile expected "$PCAPS/expected.json" --arg file "$1" --argjson packets "$packets" \
    --arg seconds "$seconds" --arg sha256 "$(sha256sum "$path" | cut -d' ' -f1)" '
      $expected[0][$file] as $e
      | {file: $file, packets: $packets, seconds: ($seconds | tonumber * 10 | round / 10), sha256: $sha256,
         mustAlert: $e.mustAlert, mustNotAlert: ($e.mustAlert == [])}
        + (if $e.later then {later: $e.later} else {} end)'
}

write_manifest() {
  local file
  jq -r 'keys_unsorted[]' "$PCAPS/expected.json" | while read -r file; do
    if [[ -f $PCAPS/$file ]]; then measure "$file"; else echo "manifest: $file is missing" >&2; fi
  done | jq -s . >"$PCAPS/manifest.json"
}

number_rows() {
  echo "| capture | packets | seconds | kB |"
  echo "|---|---:|---:|---:|"
  jq -r '.[] | "\(.file) \(.packets) \(.seconds)"' "$PCAPS/manifest.json" | while read -r file packets seconds; do
    echo "| \`$file\` | $packets | $seconds | $((($(stat -c %s "$PCAPS/$file") + 999) / 1000)) |"
  done
}

# The lines between the two marks are replaced.
write_numbers() {
  number_rows >"$PCAPS/.numbers"
  sed -i -e "/<!-- numbers -->/r $PCAPS/.numbers" -e '/<!-- numbers -->/,/<!-- end -->/{/<!--/!d}' "$PCAPS/README.md"
  rm "$PCAPS/.numbers"
}

write_manifest
if [[ -f $PCAPS/README.md ]]; then write_numbers; fi
