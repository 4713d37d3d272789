# shellcheck shell=bash
# Addresses that move in ordinary ways. 10.20.1.12 is a laptop that leaves its dock and comes back: the same address at the card of the
# cable and at that of the radio, each time announced. 10.20.1.9 belongs to .3 and .5, which stand in for each other (keepalived, by
# their real cards); .3 fails and comes back. 10.20.1.50 is the only address that the DHCP server has: one client gives it back, the
# next one gets it. The laptop, .11 and .13 talk to all of them meanwhile.
start_keepalived() {
  local host=$1 priority=$2 dir=$SCRATCH/keepalived-$1
  mkdir -p "$dir"
  cat >"$dir/conf" <<CONF
global_defs { router_id $host }
vrrp_instance shared {
  interface eth0
  state BACKUP
  virtual_router_id 9
  priority $priority
  advert_int 1
  virtual_ipaddress { 10.20.1.9/24 }
}
CONF
  on "$host" keepalived -n -l -f "$dir/conf" -p "$dir/pid" -r "$dir/vrrp" -c "$dir/check" >"$dir/log" 2>&1 &
}

# move FROM TO: as a network manager does it.
move() {
  on h12 ip address del 10.20.1.12/24 dev "$1"
  on h12 ip link set "$1" down
  on h12 ip link set "$2" up
  on h12 ip address add 10.20.1.12/24 dev "$2"
  on h12 ip route replace default via 10.20.1.1
  on h12 arping -q -A -c 2 -w 2 -I "$2" 10.20.1.12 || on h12 arping -q -P -U -c 2 -i "$2" 10.20.1.12 || true
}

# lease HOST: gets an address and keeps it until give_back.
lease() {
  cat >"$SCRATCH/lease" <<'SCRIPT'
#!/bin/sh
case $1 in
  bound|renew) ip address replace "$ip/24" dev "$interface" ;;
  deconfig) ip address flush dev "$interface"; ip link set "$interface" up ;;
esac
SCRIPT
  chmod 755 "$SCRATCH/lease"
  ip netns exec "$1" udhcpc -f -a -i eth0 -s "$SCRATCH/lease" >"$SCRATCH/lease-$1" 2>&1 &
  CLIENT=$!
}

give_back() {
  kill -USR2 "$CLIENT"
  sleep 1
  kill "$CLIENT"
}

ping_all() {
  local end=$((SECONDS + 105)) address
  while ((SECONDS < end)); do
    for address in 10.20.1.9 10.20.1.12 10.20.1.50 10.20.1.1; do on "$1" ping -c 1 -W 1 -q "$address" >/dev/null || true; done
    sleep 3
  done
}

scene() {
  local n
  build_network
  for n in 2 3 5 11 12 13; do add_lan "h$n" "$n"; done
  plug h12 radio0 lan 02:0a:14:01:0c:02
  on h12 ip link set radio0 down
  for n in 61 62; do new_host "h$n"; plug "h$n" eth0 lan "02:0a:14:01:$n:01"; done
  on h2 dnsmasq -k --conf-file=/dev/null --user=root --port=0 --pid-file= --interface=eth0 --dhcp-authoritative \
    --dhcp-range=10.20.1.50,10.20.1.50,255.255.255.0,2m --dhcp-leasefile="$SCRATCH/leases" &
  start_recording
  start_story
  start_keepalived h3 150
  ping_all h11 & ping_all h13 &
  at 5 "the spare is there"
  start_keepalived h5 100
  lease h61
  at 20 "the laptop leaves its dock"
  move eth0 radio0
  at 35 ".3 fails"
  kill "$(cat "$SCRATCH/keepalived-h3/pid")"
  at 45 "the lease is given back, the next client gets it"
  give_back
  at 50 "next client"
  lease h62
  at 65 ".3 comes back"
  start_keepalived h3 150
  at 80 "the laptop is docked again"
  move radio0 eth0
  at 112 "end"
  kill "$CLIENT" "$(cat "$SCRATCH/keepalived-h3/pid")" "$(cat "$SCRATCH/keepalived-h5/pid")" || true
  stop_recording
}
