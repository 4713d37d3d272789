# shellcheck shell=bash
# 10.20.1.15 looks for ssh and file sharing on all of 10.20.2.0/24 behind the router. Five hosts are there,
# three of them with ssh; all other addresses are dark, and the router says so as often as it may.
scene() {
  local n
  build_network
  add_lan h15 15
  for n in 10 11 12 50 120; do add_srv "s$n" "$n"; done
  for n in 10 11 120; do start_sshd "s$n"; done
  start_recording
  on h15 timeout 200 nmap -n -sS -Pn -T4 --max-retries 1 --max-rate 40 -p 22,445 10.20.2.0/24
  sleep 4
  stop_recording
}
