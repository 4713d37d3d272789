# shellcheck shell=bash
# Four clients ask one server every few seconds, by https and http. It stops at 80 s, refuses all of them for a
# minute, and comes back.
WEB="listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;"

scene() {
  local n
  build_office
  start_dns
  start_nginx h3 "$WEB"
  start_recording
  start_story
  for n in 11 12 13; do person "h$n" poll 205 4 8 https://files.office.test & done
  person h14 poll 205 4 8 http://files.office.test &
  at 80 "the server stops"
  stop_nginx h3
  at 140 "the server is back"
  start_nginx h3 "$WEB"
  at 215 "end"
  stop_recording
}
