# shellcheck shell=bash
# 10.20.1.14 tries 300 ports of 10.20.1.20 with SYNs whose headers come in pieces of eight octets, then 100 of 10.20.1.21 in
# pieces of sixteen: filters that look for flags in the first piece find none, or half a header (`nmap -f`, `nmap -f -f`).
scene() {
  build_network
  add_lan h14 14
  add_lan h20 20
  add_lan h21 21
  start_sshd h20
  start_recording
  on h14 timeout 120 nmap -n -Pn -sS -f -T4 --max-rate 100 -p 1-300 10.20.1.20
  on h14 timeout 120 nmap -n -Pn -sS -f -f -T4 --max-rate 100 -p 1-100 10.20.1.21
  stop_recording
}
