#!/bin/bash
# npm run demo: builds Hoist, makes an image of this machine's own busybox and runs containers from it. As root on Debian it
# installs what is missing and says so. Everything runs in a network namespace and a directory of its own and is removed at
# the end: containers, engine, files.
set -u
cd "$(dirname "$0")/.." || exit 1
say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
die() { printf 'demo: %s\n' "$*" >&2; exit 1; }

# --- first part, outside: what the machine must have
prepare() {
  [ "$(uname -s)" = Linux ] || die "containers need Linux (here: $(uname -s))"
  local node_ok='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
  node -e "$node_ok" 2>/dev/null ||
    die "Node 20.19 or newer must be in PATH (here: $(node --version 2>/dev/null || echo none)); Debian 13 has it: apt-get install nodejs npm"
  [ "$(id -u)" = 0 ] ||
    die "root is needed: containers of ordinary users are not there yet; try: sudo env PATH=\"\$PATH\" npm run demo"
  local reason
  reason=$(unshare --net --mount true 2>&1) ||
    die "this machine lets not even root make namespaces, so no container can run here ($reason); inside a container it takes --privileged"

  local missing=
  command -v cc >/dev/null || missing="$missing gcc"
  command -v strip >/dev/null || missing="$missing binutils"
  [ -e /usr/include/stdlib.h ] || missing="$missing libc6-dev"
  # the package busybox has a dynamic one, which would find no libraries in an image of its own
  { [ -x /bin/busybox ] && ! ldd /bin/busybox >/dev/null 2>&1; } || missing="$missing busybox-static"
  if [ -n "$missing" ]; then
    command -v apt-get >/dev/null || die "these Debian packages, or what they hold, are missing:$missing"
    say "installing Debian packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086
    { apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing >/dev/null; } ||
      die "apt-get could not install:$missing"
  fi
  if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    say "installing npm packages into node_modules/ (npm ci)"
    npm ci --no-audit --no-fund --loglevel=error || die "npm ci failed"
    touch node_modules/.package-lock.json
  fi
  say "building bin/hoist and dist/"
  node tools/build.mjs || die "the build failed"
}

# --- second part, in a network namespace of its own
milliseconds() { local now=${EPOCHREALTIME/[.,]/}; echo $((now / 1000)); }

# Shows a command as a user would type it, runs it, tells how long it took.
try() {
  printf '\n\033[36m$ %s\033[0m\n' "${shown:-hoist $*}"
  local begin code
  begin=$(milliseconds)
  hoist "$@" 2>&1
  code=$?
  printf '\033[2m  (%s ms)\033[0m\n' $(($(milliseconds) - begin))
  [ $code = "${expect:-0}" ] || die "that ended with exit code $code instead of ${expect:-0}; the engine's log: $(tail -3 "$HOIST_RUN_ROOT/engine.log" 2>/dev/null)"
}
# The machine's own side of a published port.
fetch() {
  printf '\n\033[36mGET %s\033[0m\n' "$1"
  node -e 'fetch(process.argv[1]).then((r) => r.text()).then((t) => process.stdout.write(t), () => process.exit(1))' "$1" ||
    die "nothing answers at $1"
}

clean() {
  trap '' INT TERM
  hoist ps -aq 2>/dev/null | xargs -r bin/hoist rm -f >/dev/null 2>&1
  hoist engine stop >/dev/null 2>&1
  rm -rf --one-file-system "$place"
  [ "$had_cgroup" = yes ] || find /sys/fs/cgroup -maxdepth 2 -type d -name hoist -exec rmdir {} + 2>/dev/null
}

tour() {
  unset DOCKER_HOST DOCKER_CONTEXT HOIST_NO_ENGINE HOIST_BRIDGE
  busybox ip link set lo up || die "cannot switch the loopback device of a new network namespace on"
  # overlayfs takes no writable layer that lies on an overlay itself (a demo inside another engine's container)
  local base=/tmp
  [ "$(stat -f -c %T /tmp)" != overlayfs ] || base=/dev/shm
  place=$(mktemp -d $base/hoist-demo.XXXXXX) || die "cannot make a directory in $base"
  had_cgroup=no
  [ -z "$(find /sys/fs/cgroup -maxdepth 2 -type d -name hoist 2>/dev/null)" ] || had_cgroup=yes
  trap clean EXIT
  trap 'exit 130' INT TERM
  export HOIST_ROOT=$place/root HOIST_RUN_ROOT=$place/run HOIST_IDLE_SECONDS=30
  hoist() { bin/hoist "$@"; }

  say "an image, made of this machine's busybox: no registry, no account"
  try image bootstrap busybox
  try images

  say "a container; the engine was started by the first command and is there now"
  try run --rm busybox echo 'hello from a container'
  try run --rm busybox echo 'and once more'
  try run --rm --network none busybox echo 'without a network'

  say "a web server behind a published port"
  mkdir "$place/www"
  echo '<h1>served from a container</h1>' >"$place/www/index.html"
  shown='hoist run -d --name web -p 8080:80 -v ./www:/www:ro busybox httpd -f -v -h /www' \
    try run -d --name web -p 8080:80 -v "$place/www:/www:ro" busybox httpd -f -v -h /www
  fetch http://127.0.0.1:8080/
  try ps
  try exec web ps
  try logs web

  say "the engine is killed; the container, its port and its log go on, and the next command starts an engine that knows it"
  local engine
  engine=$(hoist engine status | awk '$1 == "PID:" { print $2 }')
  printf '\n\033[36m$ kill -9 %s\033[0m\n' "$engine"
  kill -9 "$engine"
  fetch http://127.0.0.1:8080/
  try ps
  try rm -f web

  say "a volume that outlives its containers, and two containers that know each other by name"
  try network create app
  try run -d --name store --network app -v data:/data busybox nc -ll -p 7000 -e cat /data/greeting
  try run --rm -v data:/data busybox sh -c 'echo "kept in a volume" >/data/greeting'
  try run --rm --network app busybox nc store 7000
  try rm -f store
  try volume ls
  try network rm app

  say "limits: 64 MB of memory in a container that may have 16"
  expect=137 try run --name greedy -m 16m --memory-swap 16m busybox dd if=/dev/zero of=/dev/null bs=64M count=1
  try inspect -f 'exit code {{.State.ExitCode}}, out of memory: {{.State.OOMKilled}}' greedy

  say "walls: root in a container is not root of the machine"
  shown="hoist run --rm busybox mount -t tmpfs none /mnt" expect=1 try run --rm busybox mount -t tmpfs none /mnt

  say "what a run asks of the kernel, every step with its reason, without running it"
  hoist explain run --rm -p 8080:80 busybox httpd -f >"$place/plan" || die "explain failed"
  printf '\n\033[36m$ hoist explain run --rm -p 8080:80 busybox httpd -f\033[0m\n'
  cut -c1-120 "$place/plan" | sed -n '1,9p; /^# child/,/^$/ { /^# child/,+2p; / pivotRoot/,+1p; / seccomp/,$p; }'
  printf '(the plan has %s steps; these are its first and last ones)\n' "$(grep -c '^ *[0-9]' "$place/plan")"

  say "done; the engine is stopped and everything it made is removed. To have hoist in PATH: npm link"
}

if [ "${1-}" = --inside ]; then
  tour
else
  prepare
  exec unshare --net "$BASH" tools/demo.sh --inside
fi
