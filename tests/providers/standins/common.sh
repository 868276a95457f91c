# What the stand-ins of the tools share.
#
# STANDIN is the folder of the machine that they are installed on, with what is to go wrong in the
# file `wrong`, and a folder for each cluster of each tool. An embedded cluster stands in for the
# containers; the engine that maps ports is the test, which is told by a FIFO.

tool=${0##*/}
clusters=$STANDIN/clusters/$tool
mkdir -p "$clusters"
printf '%s\n' "$tool $*" >> "$STANDIN/argv"

# Whether something is to go wrong.
wrong() {
  read -r amiss < "$STANDIN/wrong" || :
  case " $amiss " in *" $1 "*) return 0 ;; esac
  return 1
}

# The file that a cluster's context is written to.
kubeconfig() {
  [ -n "${KUBECONFIG-}" ] && printf '%s\n' "${KUBECONFIG%%:*}" && return
  mkdir -p "$HOME/.kube"
  printf '%s\n' "$HOME/.kube/config"
}

# flags VALUED PLAIN ARGUMENT...: reads flags that have a value and flags that have none. The tool's
# `option` hears of each; the other words are in $words.
flags() {
  valued=" $1 " plain=" $2 " words=
  shift 2
  while [ $# -gt 0 ]; do
    case $1 in
    -*=*) flag=${1%%=*} value=${1#*=} ;;
    -*)
      flag=$1 value=true
      case $valued in *" $flag "*)
        [ $# -gt 1 ] || refuse "flag needs an argument: $flag"
        value=$2
        shift
        ;;
      esac
      ;;
    *)
      words="$words $1"
      shift
      continue
      ;;
    esac
    case $valued$plain in
    *" $flag "*) option "$flag" "$value" ;;
    *) refuse "unknown flag: $flag" ;;
    esac
    shift
  done
  words=${words# }
}

# The way in which the tools refuse what they do not know.
refuse() {
  echo "${refusal-Error: }$1" >&2
  exit 1
}

# What the engine says when it does not run, by the release of its program.
engine_text() {
  socket=unix:///var/run/docker.sock
  if wrong denied; then
    echo "permission denied while trying to connect to the docker API at $socket"
  elif wrong engine-29; then
    echo "failed to connect to the docker API at $socket; check if the path is correct and if the daemon is running: dial unix /var/run/docker.sock: connect: no such file or directory"
  else
    echo "Cannot connect to the Docker daemon at $socket. Is the docker daemon running?"
  fi
}

engine_is_down() {
  wrong engine-28 || wrong engine-29 || wrong denied
}

# Says something to the engine, and waits for its answer.
engine() {
  answer=$STANDIN/answer.$$
  mkfifo "$answer"
  exec 4<> "$answer"
  echo "$answer $*" > "$STANDIN/engine"
  read -r told <&4
  exec 4<&-
  rm "$answer"
  [ "$told" = done ] || { echo "the engine says: $told" >&2; exit 1; }
}

# Works until somebody ends it, if it is to hang there; at the latest when a test would have ended it.
maybe_hang() {
  wrong "$1" || return 0
  sleep 30 &
  engine said "$1"
  wait
}

# boot NAME NODES CONTEXT: starts the containers of a cluster, and sets $node to the address of one.
boot() {
  home=$clusters/$1
  mkdir -p "$home"
  mkfifo "$home/printed"
  # In a session of its own, as containers are. It holds both ends of what it prints, so that it
  # can print when nobody reads.
  XDG_STATE_HOME=$home/state TMPDIR=$home setsid "$STANDIN_LAB" cluster up --pace 20 \
    --publish none --nodes "$2" --kubeconfig "$home/embedded" \
    < /dev/null 2> "$home/errors" 1<> "$home/printed" &
  echo "$!" > "$home/pid"
  node=
  while read -r line; do
    case $line in
    "node port 30000: http://"*) node=${line#*http://} node=${node%%/*} ;;
    "Ctrl+C stops"*) break ;;
    esac
  done < "$home/printed"
  if [ -z "$node" ]; then
    cat "$home/errors" >&2
    exit 1
  fi
  sed "s/rollout-lab/$3/g" "$home/embedded" > "$home/config"
}

# Publishes a cluster's node port: map NAME ADDRESS:PORT
map() {
  wrong unmapped || engine map "$tool/$1" "$2" "$node"
}

# Removes the containers of a cluster.
halt() {
  home=$clusters/$1
  if [ -e "$home/pid" ]; then
    read -r pid < "$home/pid"
    # What it prints ends when it does.
    kill -0 "$pid" && { kill -KILL "$pid"; cat > /dev/null; } < "$home/printed"
  fi 2> /dev/null
  engine unmap "$tool/$1"
  rm -rf "$home"
}

has() {
  [ -d "$clusters/$1" ]
}
