# shellcheck shell=bash
# 10.20.1.14 tries nmap's 100 commonest UDP ports on 10.20.1.2; dns answers, for the others the host sends
# port unreachable, about one a second (the limit of its system), so the scan goes slowly.
scene() {
  build_network
  add_lan h14 14
  add_lan h2 2
  add_out o53 198.51.100.53
  start_dns
  start_recording
  on h14 timeout 240 nmap -n -sU -T4 --top-ports 100 10.20.1.2
  stop_recording
}
