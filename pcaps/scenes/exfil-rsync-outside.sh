# shellcheck shell=bash
# 10.20.1.14 copies 62 MB to 203.0.113.78 by rsync over ssh; nobody has been there before. Others browse meanwhile.
SNAP_LEN=68   # headers: what ssh carries does not compress, and the file must stay small
export CURL_FAMILY=-4   # a TCP header behind one of IPv6 would be cut
UPLOAD_BYTES=62000000

scene() {
  build_office
  add_out o78 203.0.113.78
  start_office_servers
  start_sshd o78
  head -c "$UPLOAD_BYTES" /dev/urandom >"$SCRATCH/archive"
  start_recording
  start_story
  for n in 11 12 15; do person "h$n" browse 90 10 25 & done
  at 20 "copy"
  person h14 copy_files "$SCRATCH/archive" 203.0.113.78 archive --bwlimit=1200
  at 100 "end"
  stop_recording gzip
}
