# shellcheck shell=bash
# Ten and a half minutes of an office without an attack: browsing (old and new connections, http and https, IPv4 and
# IPv6), names (some not found), time, a typed ssh session, an idle one, a download, a file copy, pings, and a few
# harmless failures.
scene() {
  build_office
  start_office_servers
  start_sshd h20
  start_chrony h11 $'server 10.20.1.2 iburst minpoll 6 maxpoll 6'
  start_chrony h12 $'server fd00:20:1::2 iburst minpoll 6 maxpoll 6'
  head -c 120000 /dev/urandom >"$SCRATCH/report.pdf"
  start_recording
  start_story
  person h11 browse 620 35 60 &
  person h12 browse 620 30 50 &
  person h13 browse 620 40 70 &
  person h15 poll 620 55 65 http://wiki.office.test &
  person h13 idle_shell 10.20.1.20 560 &
  at 30 "names"
  person h12 ask_names &
  at 60 "typed session"
  person h11 type_shell 10.20.1.20 "cd /etc" "ls" "cat hostname" "df -h" "uptime" "head -20 services" &
  at 150 "idle tab"
  person h14 idle_tab 65 &
  at 200 "download"
  person h14 fetch --limit-rate 120k http://mirror.example.org/tool-2.4.tar.xz &
  at 300 "file copy"
  person h15 copy_files "$SCRATCH/report.pdf" 10.20.1.3 report.pdf
  at 340 "ping"
  on h13 ping -q -c 6 10.20.1.3 >/dev/null
  on h13 ping -q -c 4 fd00:20:1::3 >/dev/null
  on h13 ping -q -c 4 198.51.100.10 >/dev/null
  at 400 "failures"
  person h12 stumble
  at 450 "names"
  person h14 ask_names
  at 480 "typed session"
  person h12 type_shell 10.20.1.3 "ls -l" "du -sh ." "id"
  at 640 "end"
  stop_recording
}
