# shellcheck shell=bash
# 10.20.1.14 sends packets of all 256 IP protocols to 10.20.1.20: about one a second is refused, most are met with silence
# (`nmap -sO`).
scene() {
  build_network
  add_lan h14 14
  add_lan h20 20
  start_recording
  on h14 timeout 120 nmap -n -Pn -sO -T4 --max-rate 40 --max-retries 1 10.20.1.20
  stop_recording
}
