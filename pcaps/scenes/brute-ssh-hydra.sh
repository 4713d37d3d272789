# shellcheck shell=bash
# 10.20.1.14 guesses the password of one account on 10.20.1.20, in short sessions that are all alike; the last guess
# is right, and a login session with some work follows.
scene() {
  build_network
  add_lan h14 14
  add_lan h20 20
  start_sshd h20 "$GUESS_LIMITS"
  start_recording
  guess_password h14 10.20.1.20 84
  sleep 5
  person h14 type_shell 10.20.1.20 "id" "ls -la /etc | head -40" "cat /etc/services | head -60" "ps aux | head -30"
  stop_recording
}
