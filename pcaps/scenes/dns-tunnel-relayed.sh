# shellcheck shell=bash
# As dns-tunnel-iodine, but by the office's own resolver: 10.20.1.13 asks 10.20.1.2, which asks 203.0.113.53 as that is
# the name server of the domain. Questions are TXT. 10.20.1.2 is no actor: it asks what its client asked.
scene() {
  build_office
  add_out o66 203.0.113.53
  RESOLVER_OPTIONS=("--server=/$TUNNEL_DOMAIN/203.0.113.53" --edns-packet-max=1232)
  start_office_servers
  start_nginx o66 "listen 80;"
  start_sshd o66
  iodine_server o66
  head -c 20000 /dev/urandom >"$SCRATCH/report.pdf"
  start_recording
  start_story
  person h11 browse 90 10 20 &
  for n in 12 14 15; do person "h$n" ask_names & done
  at 10 "tunnel"
  iodine_client h13 10.20.1.2 -T TXT
  use_tunnel h13 "$TUNNEL_SERVER"
  at 95 "end"
  stop_recording
}
