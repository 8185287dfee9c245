# shellcheck shell=bash
# Sourced by scripts that run several programs one after the other. A program that is stopped ends
# the script, too.

# Runs a program. It gets the signals of the script, which goes on if the program ended well and no
# signal came. Argument: the command.
run_stage() {
  local stage status signalled='' is_new
  # In the background, because Bash handles signals only after a program in the foreground. Such a
  # program ignores Ctrl-C unless it asks for it, as trainings do; SIGTERM ends all of them.
  "$@" <&0 &
  stage=$!
  trap 'signalled=yes is_new=yes; kill "$stage" 2>/dev/null || true' HUP INT QUIT TERM
  while is_new='' && { wait "$stage" 2>/dev/null && status=0 || status=$?; } && [ -n "$is_new" ]; do
    :  # The signal ended `wait`, not the program.
  done
  trap - HUP INT QUIT TERM
  [ -z "$signalled" ] || say_stopped
  [ "$status" = 0 ] && [ -z "$signalled" ] || exit "$status"
}

# Runs a training to its end; one that is asked to stop exits with 0, too. Arguments: a file that
# exists at the end, the command.
run_training() {
  local result=$1
  shift
  run_stage "$@"
  [ -e "$result" ] || { say_stopped && exit 0; }
}

say_stopped() { echo "stopped; the same command resumes" >&2; }
