# shellcheck shell=bash
# 10.20.1.14 sends SYNs with forged sources to the web server 10.20.1.3, up to 150 a second for twenty seconds. The server
# answers each one, into nowhere.
scene() {
  build_network
  add_lan h14 14
  add_lan h3 3
  on h3 sysctl -qw net.ipv4.tcp_synack_retries=0
  start_nginx h3 "listen 80;"
  start_recording
  on h14 timeout 20 hping3 -q -n -S -p 80 --rand-source -i u6500 10.20.1.3 || true
  sleep 2
  stop_recording
}
