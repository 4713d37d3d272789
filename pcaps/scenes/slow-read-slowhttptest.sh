# shellcheck shell=bash
# 10.20.1.14 asks the web server 10.20.1.3 on 80 connections for a large file and takes the answer in through a tiny window, a few
# octets every five seconds.
scene() {
  build_network
  add_lan h14 14
  add_lan h3 3
  start_nginx h3 "listen 80;"
  start_recording
  on h14 timeout 100 slowhttptest -X -c 80 -r 20 -l 60 -w 256 -y 512 -n 5 -z 16 -k 1 -u http://10.20.1.3/tool-2.4.tar.xz || true
  sleep 2
  stop_recording
}
