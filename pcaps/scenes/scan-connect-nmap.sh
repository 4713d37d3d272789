# shellcheck shell=bash
# 10.20.1.13 tries 300 ports on 10.20.1.20 with whole connections; ssh and http accept.
scene() {
  build_network
  add_lan h13 13
  add_lan h20 20
  start_sshd h20
  start_nginx h20 "listen 80;"
  start_recording
  on h13 timeout 120 nmap -n -sT -T3 --scan-delay 15ms --top-ports 300 10.20.1.20
  stop_recording
}
