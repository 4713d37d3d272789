#!/usr/bin/env bash
# What people at their desks do. Runs inside a host's network namespace: people.sh HABIT ARGUMENTS
set -uo pipefail
HERE=$(dirname "${BASH_SOURCE[0]}")

SSH_OPTIONS=(-F /dev/null -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR)
KEY=(-i "$SCRATCH/id" -o IdentitiesOnly=yes)
SITES=(http://wiki.office.test https://wiki.office.test http://files.office.test https://www.example.net
  http://www.example.net https://news.example.net)

# CURL_FAMILY=-4 keeps a scene's TCP to IPv4.
fetch() { curl ${CURL_FAMILY:+"$CURL_FAMILY"} -s -o /dev/null --cacert "$SCRATCH/tls.crt" --connect-timeout 5 --max-time 40 "$@"; }

# pause MIN MAX, in seconds.
pause() {
  local ms=$(($1 * 1000 + (RANDOM * 32768 + RANDOM) % (($2 - $1) * 1000 + 1)))
  sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
}

page() { echo "$1/page$((RANDOM % 20 + 1)).html"; }

# One connection a page, or one connection for several pages with reading time between.
visit_short() { fetch "$(page "$1")"; }
visit_keepalive() { fetch --rate 30/m -o /dev/null -o /dev/null "$(page "$1")" "$(page "$1")" "$(page "$1")"; }

# browse SECONDS PAUSE_MIN PAUSE_MAX
browse() {
  local end=$((SECONDS + $1)) site
  pause 0 "$3"
  while ((SECONDS < end)); do
    site=${SITES[RANDOM % ${#SITES[@]}]}
    if ((RANDOM % 3)); then visit_short "$site"; else visit_keepalive "$site"; fi
    pause "$2" "$3"
  done
}

# poll SECONDS PAUSE_MIN PAUSE_MAX URL: an application that asks its server now and then.
poll() {
  local end=$((SECONDS + $1))
  while ((SECONDS < end)); do
    fetch "$(page "$4")"
    pause "$2" "$3"
  done
}

# ask_again SECONDS PAUSE_MIN PAUSE_MAX URL [OPTIONS OF CURL]: the same page again and again, whether it comes or not.
ask_again() {
  local end=$((SECONDS + $1)) min=$2 max=$3
  shift 3
  while ((SECONDS < end)); do
    fetch "$@"
    pause "$min" "$max"
  done
}

# look_for_mail SECONDS PAUSE_MIN PAUSE_MAX HOST: log in, ask what is new, leave.
look_for_mail() {
  local end=$((SECONDS + $1))
  while ((SECONDS < end)); do
    fetch -k --user "fsdemo:$PASSWORD" "imaps://$4/" -X 'STATUS INBOX (UNSEEN)'
    pause "$2" "$3"
  done
}

# monitor SECONDS: are web, files and ssh there? Every ten seconds.
monitor() {
  local end=$((SECONDS + $1))
  while ((SECONDS < end)); do
    fetch http://10.20.1.3/api
    fetch -k https://10.20.1.3/api
    timeout 2 bash -c 'exec 9<>/dev/tcp/10.20.1.20/22; read -r -u 9 banner'
    sleep 10
  done
}

digits() { head -c "$(($1 / 2))" /dev/urandom | od -An -tx1 | tr -d ' \n'; }
look_up() { dig +tries=1 +timeout=2 "$@" >/dev/null; }

# look_up_hashed SECONDS: pages of content networks have names with digests in them, each for a short while only.
look_up_hashed() {
  local end=$((SECONDS + $1))
  while ((SECONDS < end)); do
    look_up "$(digits 14).cdn.example.net" A
    look_up "$(digits 32)-$(digits 8).edge.example.net" A
    look_up "www.example.net" AAAA
    pause 0 2
  done
}

# look_up_senders SECONDS: a mail server asks block lists about addresses and digests, and for SPF and DKIM records.
look_up_senders() {
  local end=$((SECONDS + $1))
  while ((SECONDS < end)); do
    look_up "$((RANDOM % 256)).$((RANDOM % 256)).113.203.ip.bl.example.org" A
    look_up "$(digits 40).digest.bl.example.org" A
    look_up "$(digits 56).file.bl.example.org" TXT
    look_up example.net TXT
    look_up s1._domainkey.example.net TXT
    pause 0 2
  done
}

# look_up_reverse: who is who in a subnet, in both families.
look_up_reverse() {
  local n
  for n in {1..120}; do
    look_up -x "10.20.2.$n"
    if ((n % 2)); then look_up -x "2001:db8:20:$n::$(digits 4)"; fi
  done
}

ask_names() {
  local question
  for question in "wiki A" "wiki AAAA" "www.example.net A" "www.example.net AAAA" "mirror.example.org A" "printer A" \
    "www.exmaple.net A"; do
    # shellcheck disable=SC2086
    dig +search +tries=1 $question >/dev/null
    pause 1 4
  done
}

# Two requests on one connection with a minute of silence between them, as a browser's open tab.
idle_tab() {
  exec 9<>/dev/tcp/10.20.1.3/80
  printf 'GET /api HTTP/1.1\r\nHost: wiki\r\n\r\n' >&9
  sleep "$1"
  printf 'GET /api HTTP/1.1\r\nHost: wiki\r\nConnection: close\r\n\r\n' >&9
  timeout 5 cat <&9 >/dev/null
}

# idle_shell HOST SECONDS: a login that is left open, kept alive by ssh.
idle_shell() { ssh "${SSH_OPTIONS[@]}" "${KEY[@]}" -o ServerAliveInterval=20 "fsdemo@$1" sleep "$2"; }

# type_shell HOST LINE...: a person logs in with a password and types.
type_shell() { timeout 200 expect "$HERE/type-ssh.exp" "$@"; }

run_command() { timeout 30 ssh "${SSH_OPTIONS[@]}" "${KEY[@]}" "fsdemo@$1" "$2"; }

# call_home SECONDS URL: a small post of one size every 10 s with a fifth of jitter, a new connection each time.
call_home() {
  local end=$((SECONDS + $1)) body
  body=$(printf 'x%.0s' {1..120})
  while ((SECONDS < end)); do
    fetch --data "$body" "$2"
    pause 8 12
  done
}

# copy_out FILE URL: what the intruder takes away.
copy_out() { curl -s -4 --max-time 400 -T "$1" "$2"; }

# copy_files FILE HOST NAME [OPTIONS OF RSYNC]
copy_files() { rsync -a "${@:4}" -e "ssh ${SSH_OPTIONS[*]} ${KEY[*]}" "$1" "fsdemo@$2:$3"; }

# The small failures of every day: a wrong port, a machine that is gone.
stumble() {
  fetch http://files.office.test:8080/
  pause 5 9
  fetch http://old.office.test/
  pause 3 5
  fetch http://old.office.test/
  return 0   # that these fail is the point
}

"$@"
