# shellcheck shell=bash
# The twin of the DNS tunnels: a resolver, 10.20.1.2, that always asks from one port, and its clients for two minutes:
# names of content networks with hashes in them (11, 12, 13), a sweep of reverse look-ups in IPv4 and IPv6 (5), a mail server's
# look-ups in block lists and of digests, SPF and DKIM records (20), large answers.
outside_zones() {
  local dkim
  dkim=$(head -c 294 /dev/urandom | base64 -w0)
  on o53 dnsmasq -k --conf-file=/dev/null --user=root --no-hosts --no-resolv --local-ttl=60 --pid-file= \
    --address=/cdn.example.net/198.51.100.10 --address=/edge.example.net/198.51.100.11 --address=/bl.example.org/127.0.0.2 \
    --local=/net/ --local=/org/ --local=/com/ --local=/in-addr.arpa/ --local=/ip6.arpa/ \
    --host-record=www.example.net,198.51.100.10 --host-record=mirror.example.org,198.51.100.20 \
    --txt-record=example.net,"v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/25 include:_spf.example.org include:_spf.example.com ~all" \
    --txt-record=s1._domainkey.example.net,"v=DKIM1; k=rsa; p=${dkim:0:230},${dkim:230:160}" --edns-packet-max=4096 &
}

scene() {
  local n
  IPV6=1
  build_network
  for n in 2 5 11 12 13 20; do add_lan "h$n" "$n"; done
  add_out o53 198.51.100.53
  RESOLVER_OPTIONS=(--query-port=5300 --cache-size=400)
  start_resolver
  outside_zones
  start_recording
  start_story
  for n in 11 12 13; do person "h$n" look_up_hashed 115 & done
  person h20 look_up_senders 115 &
  at 20 "reverse look-ups"
  person h5 look_up_reverse
  at 120 "end"
  stop_recording
}
