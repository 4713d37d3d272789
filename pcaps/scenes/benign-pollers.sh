# shellcheck shell=bash
# The twin of the beacons: eight minutes of programs that ask on a clock. Time from the office and from three outside
# servers; three hosts ask a package mirror; two look for mail at a provider (imaps); 10.20.1.5 checks three services of
# the office every ten seconds; two keep push channels (8883, 5223) alive. 203.0.113.12 is used by two: 10.20.1.11 asks it for
# news every half minute, a new connection each time, and 10.20.1.15 every ten seconds on one connection that it keeps.
NTP_CLIENT=$'server 10.20.1.2 iburst minpoll 4 maxpoll 4\nserver 198.51.100.31 iburst minpoll 4 maxpoll 5
server 198.51.100.32 iburst minpoll 4 maxpoll 5\nserver 198.51.100.33 iburst minpoll 4 maxpoll 5'

push() { on "$1" timeout 475 mosquitto_sub -h 198.51.100.41 -p "$2" -k "$3" --cafile "$SCRATCH/tls.crt" --insecure -t news & }

scene() {
  local n
  build_office
  add_lan h5 5
  for n in 31 32 33 40 41; do add_out "o$n" "198.51.100.$n"; done
  start_office_servers
  start_sshd h20
  for n in 31 32 33; do start_chrony "o$n" $'local stratum 3\nallow all'; done
  for n in 11 12 13; do start_chrony "h$n" "$NTP_CLIENT"; done
  add_out o12 203.0.113.12
  start_nginx o12 "listen 443 ssl;"
  start_mail o40
  start_push o41
  start_recording
  start_story
  for n in 11 12 13; do person "h$n" ask_again 470 28 32 http://mirror.example.org/page1.html -I & done
  for n in 12 14; do person "h$n" look_for_mail 470 19 21 198.51.100.40 & done
  person h5 monitor 470 &
  push h14 8883 20
  push h15 5223 30
  person h11 ask_again 470 29 31 -k https://203.0.113.12/api &
  person h15 fetch -k --max-time 470 --rate 6/m "https://203.0.113.12/api?[1-46]" &
  for n in 12 13 14; do person "h$n" browse 470 40 80 & done
  at 480 "end"
  stop_recording
}
