# shellcheck shell=bash
# The attacker's part: real scanners and guessers, run on a host of the scene.

# word_list COUNT FILE: wrong passwords, then the right one as the last.
word_list() {
  local i
  for ((i = 1; i <= $1; i++)); do printf 'guess-%04d-%s\n' "$((RANDOM % 10000))" "$(printf %02d "$i")"; done >"$2"
  echo "$PASSWORD" >>"$2"
}

# guess_password HOST VICTIM COUNT. The server (GUESS_LIMITS) cuts each connection at the second wrong guess; the tool
# takes that for a fault and tries the same word again on a new connection, so there are about COUNT short sessions,
# all alike. With MaxAuthTries 1 the tool gets nowhere, with 6 there would be ten long sessions only.
GUESS_LIMITS=$'MaxAuthTries 2\nMaxStartups 20\nLoginGraceTime 30'
guess_password() {
  word_list "$3" "$SCRATCH/words"
  on "$1" timeout 240 hydra -I -t 4 -w 4 -f -l fsdemo -P "$SCRATCH/words" "ssh://$2" || true
}

