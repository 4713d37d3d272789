# shellcheck shell=bash
# 10.20.1.14 stands between 10.20.1.11 and the gateway: arpspoof tells both, every two seconds and unasked, that the other's
# address is at its own card, and forwards what it gets. Before and during that, .11 and .12 read pages; afterwards arpspoof mends
# what it broke.
scene() {
  local n
  build_network
  for n in 11 12 14; do add_lan "h$n" "$n"; done
  for n in 10 11 20; do add_out "o$n" "198.51.100.$n"; start_nginx "o$n" "listen 80;"; done
  on h14 sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth0.send_redirects=0
  start_recording
  start_story
  read_pages h11 & read_pages h12 &
  at 15 "10.20.1.14 asks for its gateway, as everybody"
  on h14 ping -c 2 -q 10.20.1.1 >/dev/null
  at 20 "arpspoof"
  on h14 timeout -s INT 40 arpspoof -i eth0 -t 10.20.1.11 -r 10.20.1.1 >/dev/null 2>&1 || true
  at 75 "end"
  stop_recording
}

# For 70 seconds, a page every one or two.
read_pages() {
  local end=$((SECONDS + 70))
  while ((SECONDS < end)); do
    CURL_FAMILY=-4 person "$1" fetch "http://198.51.100.$((RANDOM % 2 ? 10 : RANDOM % 2 ? 11 : 20))/page$((RANDOM % 20 + 1)).html"
    sleep "1.$((RANDOM % 10))"
  done
}
