#!/usr/bin/env bash
# Records the captures of this folder again, from nothing: real tools against real servers, in real time.
#
#   sudo bash pcaps/record.sh all              every scene, the long ones side by side (about 25 minutes)
#   sudo bash pcaps/record.sh scan-syn-nmap    one scene (a file of scenes/, without .sh)
#   sudo bash pcaps/record.sh manifest         manifest.json and the README's table, from the captures there are
#
# Each scene has mount, process and network namespaces of its own. Its accounts, logs, resolv.conf files and
# networks live in there only, and the kernel takes them away with the scene's last process: the machine's own
# accounts, services and interfaces are never touched, and no packet leaves the machine.
set -euo pipefail

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
SCENE_MAX_S=1800
LONG_SCENES=(office-incident benign-office benign-outage benign-admin-jobs benign-address-moves scan-udp-nmap
  c2-beacon-curl c2-deadpeer benign-pollers)
TOOLS=(nmap:nmap hydra:hydra sshd:openssh-server ssh:openssh-client nginx:nginx-light dnsmasq:dnsmasq-base
  dig:dnsutils chronyd:chrony curl:curl rsync:rsync tcpdump:tcpdump ip:iproute2
  ethtool:ethtool tshark:tshark capinfos:wireshark-common expect:expect git:git ping:iputils-ping
  openssl:openssl jq:jq arpspoof:dsniff arping:arping keepalived:keepalived udhcpc:udhcpc hping3:hping3
  slowhttptest:slowhttptest iperf3:iperf3 ab:apache2-utils perl:perl iodined:iodine ptunnel:ptunnel fping:fping
  tracepath:iputils-tracepath dovecot:dovecot-imapd mosquitto:mosquitto mosquitto_sub:mosquitto-clients)

fail() { echo "record.sh: $*" >&2; exit 1; }

# Debian starts a service when its package is installed, unless this file says no; it goes when the script ends.
keep_services_off() {
  local policy=/usr/sbin/policy-rc.d
  [[ ! -e $policy ]] || return 0   # the machine has its own opinion
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
  trap 'rm -f /usr/sbin/policy-rc.d' EXIT
}

install_tools() {
  local missing=() pair
  for pair in "${TOOLS[@]}"; do
    PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
  done
  ((${#missing[@]})) || return 0
  keep_services_off
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

# KEEP=1 leaves the scratch folder, with the scene's log, for a look.
# shellcheck disable=SC2317   # called by a trap
end_scene() {
  [[ -z ${PLAYER:-} ]] || kill "$PLAYER" 2>/dev/null || true
  [[ ${KEEP:-} ]] || rm -rf "$SCRATCH"
}

# Outside: a scratch folder, a time limit, and a process namespace whose end ends everything in it.
run_scene() (
  name=$1
  [[ -f $HERE/scenes/$name.sh ]] || fail "no such scene: $name"
  SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/pcaps-$name.XXXXXX")
  trap 'end_scene' EXIT
  trap 'exit 130' INT TERM
  chmod 755 "$SCRATCH"
  mkdir -p /etc/netns   # the place `ip netns exec` reads; the scene mounts its own over it
  echo "$name: starts"
  timeout --kill-after=5 "$SCENE_MAX_S" unshare --mount --propagation private --net --pid --fork \
    --kill-child --mount-proc bash "$HERE/record.sh" --inside "$name" "$SCRATCH" >"$SCRATCH/log" 2>&1 &
  PLAYER=$!
  if wait $PLAYER; then
    echo "$name: done"
  else
    tail -n 25 "$SCRATCH/log" >&2
    fail "$name failed"
  fi
)

# Inside the namespaces.
play_scene() {
  SCENE=$1 SCRATCH=$2
  export HERE SCRATCH PATH=$PATH:/usr/sbin:/sbin LC_ALL=C
  # shellcheck source=lib/world.sh
  source "$HERE/lib/world.sh"
  # shellcheck source=lib/servers.sh
  source "$HERE/lib/servers.sh"
  # shellcheck source=lib/attacker.sh
  source "$HERE/lib/attacker.sh"
  # shellcheck source=lib/tunnels.sh
  source "$HERE/lib/tunnels.sh"
  cd "$SCRATCH"
  hide_machine
  # shellcheck disable=SC1090
  source "$HERE/scenes/$SCENE.sh"
  scene
}

record_all() {
  local name failed=0 pids=()
  for name in "${LONG_SCENES[@]}"; do
    run_scene "$name" & pids+=($!)
  done
  for name in "$HERE"/scenes/*.sh; do
    name=$(basename "$name" .sh)
    [[ " ${LONG_SCENES[*]} " == *" $name "* ]] && continue
    run_scene "$name" &
    wait $! || failed=1
  done
  for name in "${pids[@]}"; do wait "$name" || failed=1; done
  ((failed == 0)) || fail "not every scene was recorded"
}

main() {
  (($# >= 1)) || fail "usage: record.sh all | manifest | SCENE..."
  if [[ $1 == --inside ]]; then play_scene "$2" "$3"; return; fi
  if [[ $1 != manifest ]]; then
    ((EUID == 0)) || fail "must run as root (network namespaces)"
    install_tools
    if [[ $1 == all ]]; then record_all; else for name in "$@"; do run_scene "$name" & wait $!; done; fi
  fi
  bash "$HERE/lib/manifest.sh"
}

trap 'kill $(jobs -p) 2>/dev/null || true; exit 130' INT TERM
main "$@"
exit
