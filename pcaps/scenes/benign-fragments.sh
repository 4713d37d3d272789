# shellcheck shell=bash
# The twin of the two odd scans: datagrams of 4 and 8 kB in six fragments and fewer (`iperf3 -u -l`) and pings of 4000 octets,
# while others browse; and a router that sends packets of IP in IP, GRE and IPsec's two protocols to one host, which is silent.
scene() {
  local proto
  build_network
  add_lan h11 11
  add_lan h12 12
  add_lan h20 20
  start_nginx h20 "listen 80;"
  on h20 iperf3 -s >/dev/null &
  start_recording
  on h11 iperf3 -c 10.20.1.20 -u -b 600K -l 8000 -t 8 >/dev/null
  on h12 iperf3 -c 10.20.1.20 -u --bidir -b 300K -l 4000 -t 8 >/dev/null
  on h11 ping -q -s 4000 -c 10 -i 0.5 10.20.1.20 >/dev/null
  for _ in 1 2 3 4 5; do on h12 curl -s -m 5 -o /dev/null http://10.20.1.20/page1.html; done
  for proto in 4 47 50 51; do on router hping3 -q -n --rawip -H "$proto" -d 120 -c 20 -i u100000 10.20.1.12 >/dev/null 2>&1 || true; done
  stop_recording
}
