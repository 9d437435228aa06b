# shellcheck shell=bash disable=SC2034
# Settings of the lab; each may be set from outside. Sourced, not run.
: "${LAB_NAME:=lab}"                     # prefix of volumes, of the registry, and (but for "lab") of the nodes
: "${LAB_NET:=swarmnet}"                 # docker network of the nodes
: "${LAB_PREFIX:=10.100.199}"            # its /24
: "${LAB_NODES:=swarm-master:200 swarm-node-01:201 swarm-node-02:202 swarm-node-03:203}"
: "${LAB_NO_PYTHON=swarm-node-03}"       # nodes without a Python
: "${LAB_REGISTRY_IP:=$LAB_PREFIX.10}"   # what the nodes take for Docker Hub
: "${LAB_CACHE:=/var/cache/gplay-lab}"   # built programs
: "${LAB_KEY:=$HOME/.ssh/gplay-lab}"     # the key that opens the nodes; made when absent
: "${LAB_PULL:=1}"                       # 0: do not try Docker Hub
: "${LAB_SUITE:=bookworm}"
: "${CONSUL_VERSION:=1.20.6}"
: "${CONSUL_TEMPLATE_VERSION:=0.41.1}"
: "${COMPOSE_VERSION:=2.40.3}"         # for the tests of its modules
LAB_DIR=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
LAB_REPO=$(dirname "$LAB_DIR")
LAB_SSH=(-i "$LAB_KEY" -o IdentitiesOnly=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=3)

say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }
die() { say "$*"; exit 1; }
have_image() { docker image inspect "$1" >/dev/null 2>&1; }

# container NODE: the name of its container.
container() { [ "$LAB_NAME" = lab ] && echo "$1" || echo "$LAB_NAME-$1"; }

# long WHAT COMMAND...: runs a command that takes minutes and says that it is
# still at it; its output is shown only when it fails.
long() {
  local what=$1 log pid start=$SECONDS said=$SECONDS code=0; shift
  log=$(mktemp)
  say "$what"
  "$@" >"$log" 2>&1 & pid=$!
  while kill -0 "$pid" 2>/dev/null; do
    sleep 0.1
    [ $((SECONDS - said)) -lt 15 ] && continue
    said=$SECONDS
    say "  $what: $((SECONDS - start)) s, $(tail -n 1 "$log" | cut -c 1-80)"
  done
  wait "$pid" || code=$?
  [ $code = 0 ] || cat "$log" >&2
  rm -f "$log"
  return $code
}
