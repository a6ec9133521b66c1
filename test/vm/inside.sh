#!/bin/bash
# Runs as root on the machine that test/vm/run.sh boots, started by systemd; one line per check.
# A check runs in a subshell with set -e, so that the first thing that fails ends it and nothing of it stays.
failures=0
checks=0
always=bootstrap # the image that the others run, unless they are only of another program
[ "$(cat /opt/hoist/only)" = 'hoist oci' ] && always=
check() { # NAME FUNCTION
  local said status
  [[ $1 =~ $(cat /opt/hoist/only) ]] || [ "$2" = "$always" ] || [ "$2" = suite ] || return 0
  checks=$((checks + 1))
  said=$(set -e; "$2" 2>&1) # not as a condition: there, set -e means nothing
  status=$?
  if [ $status = 0 ]; then
    echo "ok      $1"
  else
    failures=$((failures + 1))
    echo "not ok  $1"
    printf '%s\n' "$said" | tail -15 | sed 's/^/        /'
  fi
}
fail() { echo "$*"; exit 1; }
equal() { [ "$1" = "$2" ] || fail "got '$1', expected '$2'"; }
matches() { [[ $1 =~ $2 ]] || fail "got '$1', expected /$2/"; }
# set -e does not reach into $( ): what must succeed is asked for by its code
code() { local c=0; "$@" >/tmp/out 2>/tmp/err || c=$?; echo $c; }
inspect() { hoist inspect -f "$2" "$1"; }
until_ok() { for _ in $(seq 100); do "$@" >/dev/null 2>&1 && return; sleep 0.1; done; "$@" || fail "after 10 s still not: $*"; }
group() { echo "/sys/fs/cgroup/hoist/$(inspect "$1" '{{.Id}}')"; }
sh() { hoist run --rm "${flags[@]}" busybox sh -c "$1"; }
flags=()

machine() {
  equal "$(stat -fc %T /sys/fs/cgroup)" cgroup2fs
  equal "$(cat /proc/1/comm)" systemd
}
bootstrap() { hoist image bootstrap busybox; matches "$(hoist images)" busybox; }
info() { matches "$(hoist info)" 'Cgroup Version: 2'; }
first() { equal "$(hoist run --rm busybox echo hi)" hi; }
life() {
  hoist run -d --name life busybox sh -c 'echo out; echo err >&2; exec sleep 1000'
  equal "$(hoist exec life echo in)" in
  until_ok says life out
  matches "$(hoist logs life 2>&1)" err
  equal "$(code hoist exec life sh -c 'exit 7')" 7
  dir=$(group life)
  [ -d "$dir" ] || fail "no $dir"
  hoist stop -t 1 life
  equal "$(inspect life '{{.State.ExitCode}}')" 137
  [ ! -e "$dir" ] || fail "$dir is still there"
  hoist start life && hoist rm -f life
  [ ! -e "$dir" ] || fail "$dir is still there"
}
layers() {
  hoist run -d --name low busybox sleep 1000
  pid=$(pgrep -f "^hoist-executor" | head -1)
  found=$(grep -c ' erofs ' "/proc/$pid/mounts" || true)
  source=$(losetup -n -O BACK-FILE)
  hoist rm -f low
  [ "$found" -ge 1 ] || fail "no erofs mount: $(cat /proc/$pid/mounts)"
  case $(uname -r) in
    6.1.*) matches "$source" 'layer.erofs' ;;
    *) equal "$source" '' ;;
  esac
}
tmpfs() { # /tmp of Debian 13: erofs takes no file of a tmpfs, on no kernel
  mkdir -p /tmp/h
  export HOIST_ROOT=/tmp/h/root HOIST_RUN_ROOT=/tmp/h/run
  hoist image bootstrap busybox
  equal "$(hoist run --rm --network none busybox echo hi)" hi
  hoist engine stop
}
loops() { # with its image a layer's loop device goes
  before=$(losetup -n -O NAME | wc -l)
  hoist image bootstrap -t gone busybox >/dev/null
  hoist run --rm gone true
  hoist rmi gone
  [ "$(losetup -n -O NAME | wc -l)" -le "$before" ] || fail "$(losetup)"
}
memory() {
  equal "$(code hoist run --name fat -m 20m busybox dd if=/dev/zero of=/dev/null bs=300M count=1)" 137
  equal "$(inspect fat '{{.State.OOMKilled}}')" true
  hoist rm fat
  equal "$(code hoist run --name fat -m 20m busybox sh -c 'head -c 200m /dev/zero | tail; exit $?')" 137
  equal "$(inspect fat '{{.State.OOMKilled}}')" true
  hoist rm fat
  equal "$(code hoist run --rm -m 20m --tmpfs /t:size=1g busybox dd if=/dev/zero of=/t/f bs=1M count=200)" 137
  flags=(-m 64m); equal "$(sh 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory.swap.max' | xargs)" '67108864 67108864'
  flags=(-m 64m --memory-swap 64m); equal "$(sh 'cat /sys/fs/cgroup/memory.swap.max')" 0
  flags=(-m 64m --memory-reservation 32m); equal "$(sh 'cat /sys/fs/cgroup/memory.low')" 33554432
}
exec_counts() {
  hoist run -d --name small -m 20m --pids-limit 15 busybox sleep 1000
  equal "$(code hoist exec small dd if=/dev/zero of=/dev/null bs=300M count=1)" 137
  hoist exec small sh -c 'for i in $(seq 30); do sleep 1 & done; wait' 2>/tmp/err || true
  hoist rm -f small
  matches "$(cat /tmp/err)" "can't fork"
}
pids() {
  flags=(--pids-limit 20); equal "$(sh 'cat /sys/fs/cgroup/pids.max')" 20
  equal "$(code hoist run --rm --pids-limit 20 busybox sh -c 'for i in $(seq 40); do sleep 1 & done; wait')" 2
  matches "$(cat /tmp/err)" "can't fork"
}
half() {
  flags=(--cpus 0.5)
  ticks=$(sh '(while :; do :; done) & sleep 2; cut -d" " -f14,15 /proc/$!/stat' | awk '{print $1 + $2}')
  [ "$ticks" -gt 60 ] && [ "$ticks" -lt 140 ] || fail "$ticks hundredths of a second in two seconds"
  equal "$(sh 'cat /sys/fs/cgroup/cpu.max')" '50000 100000'
  flags=(--cpu-shares 512); equal "$(sh 'cat /sys/fs/cgroup/cpu.weight')" 20
}
cpuset() {
  flags=(--cpuset-cpus 1)
  equal "$(sh 'grep Cpus_allowed_list /proc/self/status | cut -f2; cat /sys/fs/cgroup/cpuset.cpus; nproc' | xargs)" '1 1 1'
}
tree() {
  matches "$(sh 'grep /sys/fs/cgroup /proc/mounts')" '^cgroup2? /sys/fs/cgroup cgroup2 ro,'
  equal "$(sh 'cat /proc/self/cgroup')" 0::/
  equal "$(code sh 'mkdir /sys/fs/cgroup/x')" 1
  equal "$(code sh 'echo max >/sys/fs/cgroup/memory.max')" 1
  matches "$(sh 'cat /sys/fs/cgroup/cgroup.procs')" '^1'
  flags=(--privileged); sh 'mkdir /sys/fs/cgroup/x && rmdir /sys/fs/cgroup/x'
  flags=(--cgroupns host); c=$(code sh 'grep -q hoist /proc/self/cgroup'); [ "$c" = 0 ] || matches "$(cat /tmp/err)" cgroupns
}
devices() {
  numbers=$(stat -c '0x%t 0x%T' /dev/vda); disk="$((${numbers% *})) $((${numbers#* }))"
  sh "mknod /d b $disk" # CAP_MKNOD is Docker's default: to make one is allowed, to open it is not
  equal "$(code sh "mknod /d b $disk; dd if=/d of=/dev/null bs=512 count=1")" 1
  matches "$(cat /tmp/err)" 'Operation not permitted'
  sh 'head -c 8 /dev/urandom >/dev/null; : </dev/zero; : >/dev/full; mknod /n c 1 3; echo x >/n'
  equal "$(code sh 'mknod /k c 1 2; : </k')" 1 # /dev/kmem
  flags=(--device /dev/vda); sh 'dd if=/dev/vda of=/dev/null bs=512 count=1'
  flags=(--device /dev/vda:/dev/x:r); sh 'dd if=/dev/x of=/dev/null bs=512 count=1'
  equal "$(code sh 'dd if=/dev/zero of=/dev/x bs=512 count=0 conv=notrunc')" 1
  flags=(--privileged); sh 'dd if=/dev/vda of=/dev/null bs=512 count=1'
  flags=(); hoist run -d --name dev busybox sleep 1000
  equal "$(code hoist exec dev sh -c "mknod /d b $disk; dd if=/d of=/dev/null bs=512 count=1")" 1
  matches "$(cat /tmp/err)" 'Operation not permitted'
  hoist rm -f dev
}
network() {
  hoist run -d --name web -p 8080:80 busybox sh -c 'mkdir /w; echo served >/w/f; httpd -f -p 80 -h /w'
  until_ok curl -sf http://127.0.0.1:8080/f
  equal "$(curl -s http://127.0.0.1:8080/f)" served
  address=$(inspect web '{{.NetworkSettings.IPAddress}}')
  equal "$(sh "wget -qO- http://$address/f")" served
  ip netns add other
  ip link add far type veth peer name near netns other
  ip addr add 192.0.2.1/24 dev far && ip link set far up
  ip -n other addr add 192.0.2.2/24 dev near && ip -n other link set near up
  equal "$(ip netns exec other curl -s -m 5 http://192.0.2.1:8080/f)" served
  hoist rm -f web
  ip netns del other
  equal "$(code curl -s -m 2 http://127.0.0.1:8080/f)" 7
}
reload() { # systemd takes controllers away that none of its units wants
  hoist run -d --name rl -m 64m --cpuset-cpus 1 busybox sleep 1000
  systemctl daemon-reload
  systemd-run --quiet --wait -p MemoryMax=50M -p CPUWeight=50 true
  equal "$(hoist exec rl cat /sys/fs/cgroup/memory.max)" 67108864
  flags=(--cpuset-cpus 1 --cpus 1 --pids-limit 10 -m 64m); sh true
  hoist rm -f rl
}
says() { hoist logs "$1" 2>&1 | grep -q "$2"; }
runs() { [ "$(inspect "$1" '{{.State.Status}}')" = running ]; }
engine_pid() { hoist engine status | sed -n 's/^PID: *//p'; }
crash() {
  hoist run -d --name c1 -p 8081:80 busybox sh -c 'mkdir /w; echo served >/w/f; httpd -f -p 80 -h /w'
  hoist run -d --name c2 busybox sh -c 'sleep 1.5; exit 9'
  until_ok curl -sf http://127.0.0.1:8081/f
  old=$(engine_pid)
  kill -9 "$old"
  sleep 2
  equal "$(curl -s http://127.0.0.1:8081/f)" served
  equal "$(inspect c2 '{{.State.ExitCode}}')" 9
  equal "$(hoist exec c1 echo yes)" yes
  [ "$(engine_pid)" != "$old" ] || fail 'the same engine'
  hoist rm -f c1 c2
}
restart_clean() {
  hoist run -d --name kept busybox sleep 1000
  hoist engine stop
  hoist engine start
  equal "$(inspect kept '{{.State.Status}}')" running
  hoist rm -f kept
}
keeper() {
  hoist run -d --name pss busybox sleep 1000
  sleep 0.3
  keeper=$(awk '/^PPid/ {print $2}' "/proc/$(inspect pss '{{.State.Pid}}')/status")
  pss=$(awk '/^Pss:/ {print $2}' "/proc/$keeper/smaps_rollup")
  hoist rm -f pss
  echo "$pss kB" >/run/pss
  [ "$pss" -lt 400 ] || fail "$pss kB"
}
terminal() {
  said=$(script -qec "hoist run --rm -it busybox sh -c 'tty; stty size; echo done'" /dev/null </dev/null)
  matches "$said" '/dev/pts/0'
  matches "$said" 'done'
}
unit() { # what systemd ends with a unit is what is in its cgroup: not the containers that it happened to start
  hoist engine stop
  systemd-run --quiet --wait --property Type=oneshot hoist run -d --name unit busybox sleep 1000
  until_ok runs unit
  sleep 1
  runs unit
  hoist rm -f unit
}
gone() {
  for _ in $(seq 20); do [ -z "$(ls -d /sys/fs/cgroup/hoist/????????????*/ 2>/dev/null)" ] && return; sleep 0.1; done
  fail "$(ls -d /sys/fs/cgroup/hoist/*/)"
}
# shellcheck source=services.sh
. "$(dirname "$0")/services.sh"
suite() { # told as it goes: it is long
  cp -r /opt/hoist /root/hoist
  cd /root/hoist
  files=
  for name in $(tr ',' ' ' <suite); do files="$files test/kernel/$name.test.ts"; done
  # shellcheck disable=SC2086
  node --import tsx --test --test-concurrency=1 --test-reporter=spec --test-timeout=600000 $files >/run/suite.log 2>&1 &
  tail -f --pid=$! /run/suite.log | grep --line-buffered -E '✖|✔|ℹ (tests|pass|fail)|Error|\+ |- ' >/dev/ttyS1
  wait $!
}

echo "# $(uname -r), $(systemctl --version | head -1), node $(node --version)"
check 'systemd and pure cgroup v2' machine
check 'image bootstrap busybox' bootstrap
check 'run' first
check 'info says cgroup version 2' info
check 'run -d, exec, logs, stop, start, rm; the cgroup goes' life
check 'layers are erofs: from a file (6.12) or a loop device' layers
check 'layers on a tmpfs' tmpfs
check 'a removed image leaves no loop device' loops
check '-m: killed, 137, OOMKilled' memory
check 'exec counts against the limits' exec_counts
check '--pids-limit' pids
check '--cpus 0.5 is half a processor, --cpu-shares a weight' half
check '--cpuset-cpus' cpuset
check '/sys/fs/cgroup is its own, read-only' tree
check 'device rules hold' devices
check 'bridge, -p through loopback and from elsewhere' network
check 'limits hold through systemctl daemon-reload' reload
check 'kill -9 of the engine' crash
check 'engine stop and start with a container' restart_clean
check "an idle keeper's memory" keeper
check 'an ordinary user' user
check "limits below what the user's systemd delegates" user_limits
check 'run -it on a terminal' terminal
check 'containers started from a unit outlive it' unit
check 'docker.sock' docker_sock
[ -x /opt/hoist/docker ] && check 'the real docker client' docker_client
check 'a network of its own, with names' names
check 'volumes' volumes
check 'restart policy' policy
check 'health checks' health
check 'pause freezes, also over the death of an engine' freezer
check 'update' update
check 'stats' statistics
check 'groups below that of a container' below
check '--cgroup-parent' parent
check '--log-driver journald, read by journalctl' journal
check 'the unit of the docs' service
check 'socket activation' activation
check 'systemd as the command' systemd_automatic
check 'systemd as the command, privileged' systemd_privileged
check 'hoist oci with groups where systemd has them' oci
check 'no cgroup is left' gone
echo "# an idle keeper: $(cat /run/pss 2>/dev/null)"
[ "$(cat /opt/hoist/suite)" != '' ] && check 'test/kernel' suite
if [ $failures = 0 ]; then
  echo "vm: all well ($checks checks)"
else
  echo "vm: $failures of $checks failed"
  tail -5 /run/hoist/engine.log | sed 's/^/# engine: /'
fi
