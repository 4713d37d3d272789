# shellcheck shell=bash
# 10.20.1.13 asks an outside name server, 203.0.113.53, directly: iodine carries IP in the questions and answers. In the
# tunnel: pings, two pages, a copy of 60 kB by rsync, a typed login session. Others browse and look up names.
scene() {
  build_office
  add_out o66 203.0.113.53
  start_office_servers
  start_nginx o66 "listen 80;"
  start_sshd o66
  iodine_server o66
  head -c 60000 /dev/urandom >"$SCRATCH/report.pdf"
  start_recording
  start_story
  person h11 browse 90 10 20 &
  person h12 ask_names &
  at 10 "tunnel"
  iodine_client h13 203.0.113.53
  use_tunnel h13 "$TUNNEL_SERVER"
  at 95 "end"
  stop_recording
}
