# shellcheck shell=bash
# 10.20.1.14 asks by ARP which of the 256 addresses of its own network are in use; seven are (`nmap -sn -PR -n`).
scene() {
  local n
  build_network
  for n in 2 3 11 12 14 20; do add_lan "h$n" "$n"; done
  start_recording
  start_story
  on h11 ping -c 3 -q 10.20.1.3 >/dev/null
  on h12 ping -c 2 -q 10.20.1.1 >/dev/null
  at 5 "nmap"
  on h14 nmap -sn -PR -n --max-rate 60 10.20.1.0/24
  at 15 "end"
  stop_recording
}
