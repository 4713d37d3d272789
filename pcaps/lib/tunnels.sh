# shellcheck shell=bash
# Tunnels: real tools that carry IP or TCP in name look-ups and in echoes.

TUNNEL_DOMAIN=t.example.org
TUNNEL_SERVER=10.99.0.1   # the server's address inside the iodine tunnel

# iodine_server HOST: answers for TUNNEL_DOMAIN on port 53. -c: a client's questions may come from other addresses (relays).
iodine_server() { on "$1" iodined -f -c -P "$PASSWORD" "$TUNNEL_SERVER/24" "$TUNNEL_DOMAIN" >"$SCRATCH/iodined.log" 2>&1 & }

# iodine_client HOST NAMESERVER [OPTIONS]: up when this returns. -r: no short cut by plain UDP.
iodine_client() {
  local host=$1 server=$2 try
  shift 2
  on "$host" iodine -f -r "$@" -P "$PASSWORD" "$server" "$TUNNEL_DOMAIN" >"$SCRATCH/iodine.log" 2>&1 &
  for try in {1..60}; do
    on "$host" ping -q -c 1 -W 1 "$TUNNEL_SERVER" >/dev/null && return 0
    sleep 0.5
  done
  echo "iodine: no tunnel after $try tries"
  return 1
}

# use_tunnel HOST ADDRESS: what people do in one: a few pings, pages, a copy, a login session.
use_tunnel() {
  on "$1" ping -q -c 15 -i 0.5 "$2" >/dev/null
  person "$1" fetch "http://$2/page3.html"
  person "$1" copy_files "$SCRATCH/report.pdf" "$2" report.pdf
  person "$1" fetch "http://$2/page7.html"
  person "$1" type_shell "$2" "id" "ls -la /etc | head -20" "uptime"
}

ptunnel_proxy() { on "$1" ptunnel >"$SCRATCH/ptunnel-proxy.log" 2>&1 & }

# ptunnel_client HOST PROXY LOCAL_PORT TARGET TARGET_PORT
ptunnel_client() {
  on "$1" ptunnel -p "$2" -lp "$3" -da "$4" -dp "$5" >"$SCRATCH/ptunnel-$3.log" 2>&1 &
  wait_port "$1" "$3"
}
