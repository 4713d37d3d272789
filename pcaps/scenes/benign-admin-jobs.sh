# shellcheck shell=bash
# 10.20.1.5 looks after three servers: every ten seconds or so it logs in to each by ssh key and runs a command, copies
# a file, or asks a git repository for news. All logins succeed; their sizes differ.
ADMIN_COMMANDS=("uptime" "df -h" "cat /etc/services | head -100" "ls -la /usr/bin | head -60" "id" "true"
  "cat /etc/passwd" "git -C repo log --oneline" "ps aux")

job() {
  case $((RANDOM % 5)) in
    0) person h5 copy_files "$SCRATCH/file$((RANDOM % 3))" "$1" "copy-$1" ;;
    1) on h5 git ls-remote -q "fsdemo@$1:repo" >/dev/null ;;
    *) person h5 run_command "$1" "${ADMIN_COMMANDS[RANDOM % ${#ADMIN_COMMANDS[@]}]}" >/dev/null ;;
  esac
}

make_repository() {
  git init -q "$SCRATCH/home/repo"
  git -C "$SCRATCH/home/repo" -c user.name=demo -c user.email=demo@office.test commit -q --allow-empty -m first
  chown -R 4242:4242 "$SCRATCH/home/repo"
}

scene() {
  local n round
  IPV6=1
  build_network
  add_lan h5 5
  for n in 20 21 22; do add_lan "h$n" "$n"; start_sshd "h$n"; done
  make_repository
  for n in 0 1 2; do head -c $((1000 + n * 7000)) /dev/urandom >"$SCRATCH/file$n"; done
  export GIT_SSH_COMMAND="ssh -F /dev/null -i $SCRATCH/id -o UserKnownHostsFile=/dev/null -o StrictHostKeyChecking=no -o LogLevel=ERROR"
  start_recording
  start_story
  for round in {0..19}; do
    at $((round * 10)) "round"
    for n in 20 21 22; do job "10.20.1.$n"; done
  done
  at 205 "end"
  stop_recording
}
