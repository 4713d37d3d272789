# shellcheck shell=bash
# 10.20.1.14 sends datagrams with forged sources to port 9999 of 10.20.1.20, some 200 a second for eighteen seconds. Nothing
# listens there; the host says so about once a second.
scene() {
  build_network
  add_lan h14 14
  add_lan h20 20
  start_recording
  on h14 timeout 18 hping3 -q -n --udp -p 9999 -d 200 --rand-source -i u5000 10.20.1.20 || true
  sleep 2
  stop_recording
}
