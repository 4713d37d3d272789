# shellcheck shell=bash
# 10.20.1.13 reaches ssh and a web server of 203.0.113.66 inside echoes (ptunnel): a typed login session, a copy of 150 kB, pages.
# The proxy's own system answers each echo as well.
in_tunnel() { on h13 scp -q -P 8022 "${SSH_ANYWHERE[@]}" "$SCRATCH/report.pdf" "fsdemo@127.0.0.1:report.pdf"; }

scene() {
  local page
  build_office
  add_out o66 203.0.113.66
  start_office_servers
  start_nginx o66 "listen 80;"
  start_sshd o66
  head -c 150000 /dev/urandom >"$SCRATCH/report.pdf"
  SSH_ANYWHERE=(-F /dev/null -i "$SCRATCH/id" -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR)
  ptunnel_proxy o66
  start_recording
  start_story
  person h11 browse 80 10 20 &
  on h12 ping -q -c 60 10.20.1.3 >/dev/null &
  at 8 "tunnel"
  ptunnel_client h13 203.0.113.66 8022 203.0.113.66 22
  in_tunnel
  at 30 "login session"
  on h13 ssh -p 8022 "${SSH_ANYWHERE[@]}" fsdemo@127.0.0.1 "uptime; sleep 3; ls -la /etc | head -40; sleep 4; cat /etc/services | head -60; sleep 3; ps aux"
  at 60 "pages"
  ptunnel_client h13 203.0.113.66 8080 203.0.113.66 80
  for page in 3 7 11; do on h13 timeout 10 curl -s -o /dev/null "http://127.0.0.1:8080/page$page.html"; done
  at 85 "end"
  stop_recording
}
