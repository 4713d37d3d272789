# shellcheck shell=bash
# 10.20.1.14 fetches one small page from 203.0.113.66:443 about every ten seconds, give or take a fifth, for seven minutes, a new
# connection each time; its user and three others browse meanwhile.
scene() {
  build_office
  add_out o66 203.0.113.66
  start_office_servers
  start_nginx o66 "listen 443 ssl;"
  start_recording
  start_story
  for n in 11 12 14; do person "h$n" browse 430 30 60 & done
  person h15 poll 430 55 65 http://wiki.office.test &
  at 15 "beacon"
  person h14 ask_again 415 8 12 https://203.0.113.66/api &
  at 435 "end"
  stop_recording
}
