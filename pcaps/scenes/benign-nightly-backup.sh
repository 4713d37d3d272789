# shellcheck shell=bash
# The twin of the upload: 10.20.1.14 copies 52 MB to the file server of the office by rsync over ssh, 10.20.1.12 loads 24 MB
# from outside, and 10.20.1.13 has a call, streams of 1 Mbit/s in UDP both ways. Others browse meanwhile.
SNAP_LEN=68   # as in exfil-rsync-outside
export CURL_FAMILY=-4   # a TCP header behind one of IPv6 would be cut

scene() {
  build_office
  start_office_servers
  start_sshd h20
  head -c 52000000 /dev/urandom >"$SCRATCH/archive"
  head -c 24000000 /dev/urandom >"$SCRATCH/www/image.iso"
  on o11 iperf3 -s -p 3478 >"$SCRATCH/iperf3.log" 2>&1 &
  wait_port o11 3478
  start_recording
  start_story
  for n in 11 15; do person "h$n" browse 90 10 25 & done
  at 10 "call"
  on h13 iperf3 -c 198.51.100.11 -p 3478 -u --bidir -b 1M -l 1100 -t 40 >/dev/null &
  at 15 "download"
  person h12 fetch --limit-rate 1500k http://mirror.example.org/image.iso &
  at 20 "backup"
  person h14 copy_files "$SCRATCH/archive" 10.20.1.20 archive --bwlimit=1200
  at 100 "end"
  stop_recording gzip
}
