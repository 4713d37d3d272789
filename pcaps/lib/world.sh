# shellcheck shell=bash
# A small company in network namespaces. The scene's own network namespace is the switch.
#
#   lan 10.20.1.0/24, fd00:20:1::/64     workstations .11-.19, dns and time .2, web and files .3, ssh .20
#   srv 10.20.2.0/24                     a second subnet behind the router, mostly unused addresses
#   out 198.51.100.0/24, 203.0.113.0/24  the "outside", behind the router
#
# The span port is tcpdump on the lan bridge: every frame that enters the bridge is seen once.

IPV6=0          # a scene sets 1 before it builds hosts
SNAP_LEN=96

# The machine's accounts, logs and run-time files, replaced by our own for the scene's processes.
hide_machine() {
  local dir
  for dir in /run /var/log /etc/netns; do mount -t tmpfs tmpfs "$dir"; done
  mkdir -p /run/sshd /run/netns /var/log/nginx
  touch /var/log/{wtmp,btmp,lastlog}
  mkdir -p "$SCRATCH/home"
  make_account
}

# One demonstration account, known only inside this mount namespace.
make_account() {
  local file
  for file in passwd shadow group; do cp -p "/etc/$file" "$SCRATCH/$file"; done
  echo "fsdemo:x:4242:4242::$SCRATCH/home:/bin/bash" >>"$SCRATCH/passwd"
  echo "fsdemo:$(openssl passwd -6 "$PASSWORD"):19700:0:99999:7:::" >>"$SCRATCH/shadow"
  echo "fsdemo:x:4242:" >>"$SCRATCH/group"
  for file in passwd shadow group; do mount --bind "$SCRATCH/$file" "/etc/$file"; done
  chown 4242:4242 "$SCRATCH/home"
}
export PASSWORD=harbour-lantern-58

on() { local host=$1; shift; ip netns exec "$host" "$@"; }

# Frames must look as on a wire: no segment larger than the MTU, no checksum left for a card.
wire_like() { "$@" ethtool -K "${PORT:?}" tso off gso off gro off tx off rx off >/dev/null; }

add_bridge() {
  ip link add "$1" type bridge mcast_snooping 0
  sysctl -qw "net.ipv6.conf.$1.disable_ipv6=1"
  ip link set "$1" up
}

# plug HOST IFACE BRIDGE MAC: a cable between a host and a bridge.
plug() {
  local host=$1 iface=$2 bridge=$3 mac=$4 port="$1-$2"
  ip link add "$port" type veth peer name "$iface" netns "$host"
  sysctl -qw "net.ipv6.conf.$port.disable_ipv6=1"
  PORT=$port wire_like
  PORT=$iface wire_like on "$host"
  ip link set "$port" master "$bridge" up
  on "$host" ip link set "$iface" address "$mac" up
}

new_host() {
  ip netns add "$1"
  on "$1" ip link set lo up
  on "$1" sysctl -qw net.ipv6.conf.default.accept_ra=0 net.ipv6.conf.default.router_solicitations=0 \
    net.ipv6.conf.default.disable_ipv6=$((1 - IPV6))
  mkdir -p "/etc/netns/$1"
  printf 'nameserver 10.20.1.2\nsearch office.test\noptions timeout:2 attempts:2\n' >"/etc/netns/$1/resolv.conf"
}

# attach HOST BRIDGE ADDRESS GATEWAY: an IPv4 host; its MAC tells its address.
attach() {
  local a b c d
  IFS=. read -r a b c d <<<"$3"
  new_host "$1"
  plug "$1" eth0 "$2" "$(printf '02:%02x:%02x:%02x:%02x:01' "$a" "$b" "$c" "$d")"
  on "$1" ip address add "$3/24" dev eth0
  on "$1" ip route add default via "$4"
}

add_lan() {
  attach "$1" lan "10.20.1.$2" 10.20.1.1
  ((IPV6)) || return 0
  on "$1" ip address add "fd00:20:1::$2/64" dev eth0 nodad
}
add_srv() { attach "$1" srv "10.20.2.$2" 10.20.2.1; }
add_out() { attach "$1" out "$2" "${2%.*}.1"; }

build_network() {
  local bridge
  for bridge in lan srv out; do add_bridge $bridge; done
  new_host router
  plug router eth0 lan 02:0a:14:01:01:01
  plug router eth1 srv 02:0a:14:02:01:01
  plug router eth2 out 02:c6:33:64:01:01
  on router ip address add 10.20.1.1/24 dev eth0
  on router ip address add 10.20.2.1/24 dev eth1
  on router ip address add 198.51.100.1/24 dev eth2
  on router ip address add 203.0.113.1/24 dev eth2
  on router sysctl -qw net.ipv4.ip_forward=1
}

start_recording() {
  tcpdump -i lan -n -s "$SNAP_LEN" -B 16384 -Z root --immediate-mode -w "$SCRATCH/raw.pcap" 2>"$SCRATCH/tcpdump.log" &
  RECORDER=$!
  sleep 1.5
}

# Two processors can hand frames over in swapped order, microseconds apart: sorted by time here.
stop_recording() {
  local out=$HERE/$SCENE.pcap
  sleep 1
  kill -INT "$RECORDER"
  wait "$RECORDER" || true
  grep -q '^0 packets dropped by kernel' "$SCRATCH/tcpdump.log" || { cat "$SCRATCH/tcpdump.log"; return 1; }
  reordercap "$SCRATCH/raw.pcap" "$SCRATCH/sorted.pcap"
  editcap -F pcap "$SCRATCH/sorted.pcap" "$out"
  if [[ ${1:-} == gzip ]]; then gzip -n -9 -f "$out"; fi
}

# Wait until this many seconds after start_story; prints the mark, so that the log tells the story's times.
start_story() { STORY_START=$SECONDS; }
at() {
  local wait_s=$((STORY_START + $1 - SECONDS))
  shift
  if ((wait_s > 0)); then sleep "$wait_s"; fi
  echo "$((SECONDS - STORY_START)) s: $*"
}

person() { local host=$1; shift; on "$host" bash "$HERE/lib/people.sh" "$@"; }
