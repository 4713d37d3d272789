# shellcheck shell=bash
# The twin of the echo tunnel: pings of 1400 octets to three hosts, one of them also pinged with the usual 56; a search for
# the largest packet of a path (ever other sizes, not to be cut in pieces) and tracepath; a monitor's pings of five hosts.
search_path_size() {
  local size
  for size in 1000 1200 1300 1400 1440 1460 1464 1468 1470 1471 1472 1473 1474 1480 1500; do
    on "$1" ping -q -M "do" -c 3 -i 0.2 -W 1 -s "$size" "$2" >/dev/null 2>&1 || true
  done
}

scene() {
  build_office
  start_office_servers
  on router ip link set eth2 mtu 1480
  start_recording
  start_story
  person h11 browse 85 10 20 &
  on h12 ping -q -s 1400 -c 70 10.20.1.3 >/dev/null &
  on h12 ping -q -s 1400 -c 70 198.51.100.10 >/dev/null &
  on h12 ping -q -c 75 198.51.100.10 >/dev/null &
  on h14 ping -q -s 1400 -c 70 198.51.100.20 >/dev/null &
  on h20 timeout 80 fping -q -l -p 1000 10.20.1.2 10.20.1.3 10.20.1.11 198.51.100.10 198.51.100.53 >/dev/null 2>&1 &
  at 20 "path"
  search_path_size h13 198.51.100.11
  on h13 timeout 30 tracepath -n 198.51.100.11 >/dev/null
  search_path_size h13 198.51.100.11
  at 85 "end"
  stop_recording
}
