# shellcheck shell=bash
# Real servers, each with a configuration of its own under $SCRATCH. They end with the scene.

wait_port() {
  local try
  for try in {1..50}; do
    on "$1" ss -Hltn "sport = :$2" | grep -q . && return 0
    sleep 0.1
  done
  echo "$1: nothing listens on port $2 after $try tries"
  return 1
}

make_certificate() {
  [[ -f $SCRATCH/tls.crt ]] && return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=office.test" \
    -addext "subjectAltName=DNS:*.office.test,DNS:*.example.net,DNS:*.example.org,IP:10.20.1.3,IP:203.0.113.66" \
    -keyout "$SCRATCH/tls.key" -out "$SCRATCH/tls.crt" 2>/dev/null
}

make_pages() {
  local i
  [[ -d $SCRATCH/www ]] && return 0
  mkdir -p "$SCRATCH/www"
  for i in {1..20}; do
    head -c $((400 + RANDOM % 6000)) /dev/urandom | base64 >"$SCRATCH/www/page$i.html"
  done
  head -c 1200000 /dev/urandom >"$SCRATCH/www/tool-2.4.tar.xz"
}

# start_nginx HOST "LISTEN LINES": pages on all paths, a tiny fixed answer under /api, uploads to /in/.
start_nginx() {
  local host=$1 listen=$2 dir=$SCRATCH/nginx-$1
  make_certificate
  make_pages
  mkdir -p "$dir/tmp"
  cat >"$dir/nginx.conf" <<CONF
daemon off; worker_processes 1; pid $dir/pid; error_log $dir/error.log; user root;
events { worker_connections 256; }
http {
  access_log $dir/access.log; keepalive_timeout 75s; default_type text/html;
  client_body_temp_path $dir/tmp/1; proxy_temp_path $dir/tmp/2; fastcgi_temp_path $dir/tmp/3;
  uwsgi_temp_path $dir/tmp/4; scgi_temp_path $dir/tmp/5;
  ssl_certificate $SCRATCH/tls.crt; ssl_certificate_key $SCRATCH/tls.key;
  server { $listen root $SCRATCH/www; location /api { return 200 "{\"ok\":true,\"next\":10}\n"; }
    location /in/ { dav_methods PUT; create_full_put_path on; client_max_body_size 0; } }
}
CONF
  on "$host" nginx -c "$dir/nginx.conf" -p "$dir" -e "$dir/error.log" &
  listen=${listen%%;*}
  listen=${listen#listen }
  wait_port "$host" "${listen%% *}"
}

stop_nginx() { on "$1" nginx -c "$SCRATCH/nginx-$1/nginx.conf" -p "$SCRATCH/nginx-$1" -s stop; }

# start_sshd HOST [CONFIG LINES]: the fsdemo account, by password or by the scene's key.
start_sshd() {
  local host=$1 dir=$SCRATCH/sshd-$1
  mkdir -p "$dir"
  [[ -f $SCRATCH/id ]] || ssh-keygen -q -t ed25519 -N '' -C demo -f "$SCRATCH/id"
  ssh-keygen -q -t ed25519 -N '' -C "" -f "$dir/hostkey"
  cat >"$dir/conf" <<CONF
${2:-}
Port 22
HostKey $dir/hostkey
PidFile $dir/pid
AuthorizedKeysFile $SCRATCH/id.pub
StrictModes no
UsePAM yes
UseDNS no
PrintMotd yes
AllowUsers fsdemo
Subsystem sftp internal-sftp
CONF
  on "$host" /usr/sbin/sshd -D -f "$dir/conf" -E "$dir/log" &
  wait_port "$host" 22
}

# The office's resolver on .2; a scene adds to it by RESOLVER_OPTIONS.
QUIET_DNS=(-k --conf-file=/dev/null --user=root --no-hosts --no-resolv --local-ttl=300 --pid-file=)
RESOLVER_OPTIONS=()
start_resolver() {
  on h2 dnsmasq "${QUIET_DNS[@]}" "${RESOLVER_OPTIONS[@]}" --server=198.51.100.53 --local=/office.test/ --local=/10.in-addr.arpa/ \
    --host-record=wiki.office.test,10.20.1.3,fd00:20:1::3 --host-record=files.office.test,10.20.1.3 \
    --host-record=build.office.test,10.20.1.20 --host-record=old.office.test,10.20.2.99 &
}

# The resolver and the name server that it asks outside.
start_dns() {
  start_resolver
  on o53 dnsmasq "${QUIET_DNS[@]}" --local=/net/ --local=/org/ --local=/com/ \
    --host-record=www.example.net,198.51.100.10 --host-record=news.example.net,198.51.100.11 \
    --host-record=mirror.example.org,198.51.100.20 &
}

# chronyd HOST "LINES": -x, so the machine's clock is never touched.
start_chrony() {
  local dir=$SCRATCH/chrony-$1
  mkdir -p "$dir"
  printf '%s\ncmdport 0\nbindcmdaddress %s/sock\npidfile %s/pid\ndriftfile %s/drift\n' "$2" "$dir" "$dir" "$dir" >"$dir/conf"
  on "$1" chronyd -x -d -u root -f "$dir/conf" >"$dir/log" 2>&1 &
}

# start_mail HOST: imaps for the demonstration account, in a folder of its own.
start_mail() {
  local dir=$SCRATCH/mail-$1
  make_certificate
  mkdir -p "$dir/box"
  chown 4242:4242 "$dir/box"
  echo "fsdemo:{PLAIN}$PASSWORD:4242:4242::$dir/box" >"$dir/users"
  cat >"$dir/conf" <<CONF
protocols = imap
base_dir = $dir/run
state_dir = $dir/state
log_path = $dir/log
listen = *
ssl = required
ssl_cert = <$SCRATCH/tls.crt
ssl_key = <$SCRATCH/tls.key
mail_location = maildir:$dir/box
first_valid_uid = 4000
passdb {
  driver = passwd-file
  args = $dir/users
}
userdb {
  driver = passwd-file
  args = $dir/users
}
service imap-login {
  inet_listener imap {
    port = 0
  }
}
CONF
  on "$1" dovecot -F -c "$dir/conf" &
  wait_port "$1" 993
}

# start_push HOST: an MQTT broker behind TLS on the two ports that push services use.
start_push() {
  local dir=$SCRATCH/push-$1
  make_certificate
  mkdir -p "$dir"
  printf 'user root\nallow_anonymous true\n' >"$dir/conf"
  printf "listener %s\ncertfile $SCRATCH/tls.crt\nkeyfile $SCRATCH/tls.key\n" 8883 5223 >>"$dir/conf"
  on "$1" mosquitto -c "$dir/conf" >"$dir/log" 2>&1 &
  wait_port "$1" 8883
}

# The servers that every office scene has.
start_office_servers() {
  start_dns
  start_nginx h3 "listen 80; listen [::]:80; listen 443 ssl; listen [::]:443 ssl;"
  start_nginx o10 "listen 80; listen 443 ssl;"
  start_nginx o11 "listen 80; listen 443 ssl;"
  start_nginx o20 "listen 80;"
  start_chrony h2 $'local stratum 8\nallow 10.20.0.0/16\nallow fd00:20::/32'
  start_sshd h3
}

build_office() {
  local n
  IPV6=1
  build_network
  for n in 2 3 11 12 13 14 15 20; do add_lan "h$n" "$n"; done
  add_out o53 198.51.100.53
  for n in 10 11 20; do add_out "o$n" "198.51.100.$n"; done
}
