# shellcheck shell=bash
# 10.20.1.14 tries nmap's 1000 commonest ports on 10.20.1.20 with half-open connections; two are open.
scene() {
  build_network
  add_lan h14 14
  add_lan h20 20
  start_sshd h20
  start_nginx h20 "listen 80;"
  start_recording
  on h14 timeout 120 nmap -n -sS -T4 --max-rate 250 --top-ports 1000 10.20.1.20
  stop_recording
}
