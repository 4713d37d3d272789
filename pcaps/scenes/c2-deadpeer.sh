# shellcheck shell=bash
# Two hosts call servers that are gone: 10.20.1.13 calls 203.0.113.99:4455, which refuses, and 10.20.1.12 calls
# 203.0.113.98:1337, from which nothing comes back, not even from its router. Both, and two others, browse meanwhile.
scene() {
  build_office
  add_out o99 203.0.113.99
  start_office_servers
  on router ip route add blackhole 203.0.113.98/32
  start_recording
  start_story
  for n in 11 12 13; do person "h$n" browse 170 20 40 & done
  person h15 poll 170 55 65 http://wiki.office.test &
  at 10 "calls"
  person h13 ask_again 160 4 6 http://203.0.113.99:4455/ &
  person h12 ask_again 160 3 7 http://203.0.113.98:1337/ --connect-timeout 2 &
  at 175 "end"
  stop_recording
}
