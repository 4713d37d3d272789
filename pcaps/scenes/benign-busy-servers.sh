# shellcheck shell=bash
# What floods and slow attacks look like from afar: a speed test both ways, a web server under a burst of requests, five workstations
# with eight requests each that wait half a minute for their answer, a call, and a stream that nobody answers.
scene() {
  local n waits=()
  build_network
  for n in 11 12 13 14 15; do add_lan "h$n" "$n"; done
  add_lan h3 3
  add_lan h20 20
  start_nginx h3 "listen 80;"
  on h3 perl "$HERE/lib/long-poll.pl" 8090 28 &
  on h20 iperf3 -s >/dev/null &
  on h20 iperf3 -s -p 5202 >/dev/null &
  wait_port h3 8090
  wait_port h20 5202
  start_recording
  for n in 11 12 13 14 15; do
    on "h$n" bash -c 'for i in {1..8}; do curl -s -o /dev/null --max-time 40 http://10.20.1.3:8090/news & done; wait' & waits+=($!)
  done
  sleep 1
  on h11 iperf3 -c 10.20.1.20 -R -n 800K >/dev/null
  on h12 iperf3 -c 10.20.1.20 -n 800K >/dev/null
  on h13 ab -q -n 200 -c 8 http://10.20.1.3/api >/dev/null
  # A call: fifty packets of 160 octets a second each way. Then a camera: a hundred a second one way.
  on h14 iperf3 -c 10.20.1.20 -p 5202 -u --bidir -b 64K -l 160 -t 8 >/dev/null
  on h15 iperf3 -c 10.20.1.20 -u -b 800K -l 1000 -t 8 >/dev/null
  wait "${waits[@]}"
  sleep 1
  stop_recording
}
