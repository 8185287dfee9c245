# shellcheck shell=bash
# Sourced at the start of every shell script: with --help, prints the comment at the script's top
# and exits, before anything is set up, downloaded or written. A closed standard output or error,
# where a script would end at its first word, becomes /dev/null.
[ -e /dev/fd/1 ] || exec >/dev/null
[ -e /dev/fd/2 ] || exec 2>/dev/null
for argument; do
  case $argument in
    --help | -h)
      while IFS= read -r line && [[ $line == \#* ]]; do
        [[ $line == '#!'* ]] || { line=${line#\#} && printf '%s\n' "${line# }"; }
      done <"${BASH_SOURCE[1]}"
      exit 0
      ;;
  esac
done
unset argument
