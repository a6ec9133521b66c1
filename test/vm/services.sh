# Sourced by inside.sh: what an engine does besides single containers, with the real systemd, journald and cgroup v2.
# shellcheck shell=bash disable=SC2015

with_docker() { [ -x /opt/hoist/docker ] && DOCKER_HOST=unix:///run/hoist/docker.sock /opt/hoist/docker "$@"; }
api() { curl -sf --unix-socket /run/hoist/docker.sock "http://hoist/v1.51$1"; }
field() { python3 -c "import json,sys; d=json.load(sys.stdin); print($1)"; }

docker_sock() {
  equal "$(api /_ping)" OK
  equal "$(api /info | field 'd["CgroupVersion"] + d["CgroupDriver"]')" 2cgroupfs
}
docker_client() {
  equal "$(with_docker run --rm busybox echo hi)" hi
  with_docker run -d --name dc -m 64m -p 8083:80 busybox sh -c 'mkdir /w; echo served >/w/f; exec httpd -f -p 80 -h /w'
  until_ok curl -sf http://127.0.0.1:8083/f
  equal "$(with_docker exec dc cat /sys/fs/cgroup/memory.max)" 67108864
  matches "$(with_docker stats --no-stream --format '{{.Name}} {{.MemUsage}} {{.PIDs}}' dc)" '^dc .* / 64MiB [1-9]'
  matches "$(with_docker top dc)" httpd
  with_docker update -m 96m --memory-swap 96m dc
  equal "$(with_docker exec dc cat /sys/fs/cgroup/memory.max)" 100663296
  with_docker rm -f dc
}
names() { # a network of one's own: names, aliases, and nothing of it from the default one
  hoist network create lan
  hoist run -d --name db --network lan --network-alias store busybox sh -c 'mkdir /w; echo named >/w/f; exec httpd -f -p 80 -h /w'
  flags=(--network lan)
  until_ok sh 'wget -qO- http://db/f'
  equal "$(sh 'wget -qO- http://store/f')" named
  flags=(); [ "$(code sh 'wget -T 2 -qO- http://db/f')" != 0 ] || fail 'seen from the default bridge'
  hoist rm -f db && hoist network rm lan
}
volumes() {
  hoist volume create kept
  flags=(-v kept:/d); sh 'echo there >/d/f'
  equal "$(sh 'cat /d/f')" there
  mkdir -p /root/bound && echo bound >/root/bound/f
  flags=(-v /root/bound:/d:ro); equal "$(sh 'cat /d/f; touch /d/g 2>/dev/null || echo read-only' | xargs)" 'bound read-only'
  hoist volume rm kept
}
policy() {
  hoist run -d --name again --restart on-failure:2 busybox sh -c 'exit 3'
  until_ok is again '{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}' 'exited 2 3'
  hoist rm again
}
is() { [ "$(inspect "$1" "$2")" = "$3" ]; }
health() {
  hoist run -d --name well --health-cmd 'test -e /ok' --health-interval 1s --health-retries 1 busybox sh -c 'touch /ok; exec sleep 1000'
  until_ok is well '{{.State.Health.Status}}' healthy
  hoist exec well rm /ok
  until_ok is well '{{.State.Health.Status}}' unhealthy
  hoist rm -f well
}
freezer() {
  hoist run -d --name cold busybox sh -c 'while :; do echo x; sleep 0.1; done'
  hoist pause cold
  matches "$(cat "$(group cold)/cgroup.events")" 'frozen 1'
  equal "$(inspect cold '{{.State.Status}}')" paused
  before=$(hoist logs cold | wc -l); sleep 0.5
  equal "$(hoist logs cold | wc -l)" "$before"
  [ "$(code hoist exec cold true)" != 0 ] || fail 'exec in a paused container'
  kill -9 "$(engine_pid)" # the next one looks at the freezer
  equal "$(inspect cold '{{.State.Status}}')" paused
  hoist unpause cold
  matches "$(cat "$(group cold)/cgroup.events")" 'frozen 0'
  hoist pause cold
  hoist stop -t 1 cold
  equal "$(inspect cold '{{.State.Status}}')" exited
  hoist rm cold
}
update() {
  hoist run -d --name up -m 64m busybox sleep 1000
  hoist update -m 256m --memory-swap 512m up
  equal "$(cat "$(group up)"/memory.{max,swap.max} | xargs)" '268435456 268435456'
  hoist update -m 32m --memory-swap -1 up
  equal "$(cat "$(group up)"/memory.{max,swap.max} | xargs)" '33554432 max'
  hoist update --pids-limit 20 --cpus 0.5 --cpuset-cpus 0 --cpu-shares 512 --memory-reservation 16m up
  equal "$(cat "$(group up)"/{pids.max,cpu.max,cpuset.cpus,cpu.weight,memory.low} | xargs)" '20 50000 100000 0 20 16777216'
  matches "$(hoist exec up cat /proc/1/status)" 'Cpus_allowed_list:[[:space:]]0'
  hoist rm -f up
}
statistics() {
  hoist run -d --name busy -m 64m --pids-limit 9 busybox sh -c 'while :; do :; done'
  sleep 1
  api '/containers/busy/stats?stream=false&one-shot=true' >/tmp/stats
  equal "$(field '[d["memory_stats"]["limit"], d["pids_stats"]["current"], d["pids_stats"]["limit"]]' </tmp/stats)" '[67108864, 1, 9]'
  equal "$(field 'd["cpu_stats"]["cpu_usage"]["total_usage"] > 1e8 and d["memory_stats"]["usage"] > 0 and "eth0" in d["networks"]' </tmp/stats)" True
  matches "$(hoist stats --no-stream --format '{{.Name}} {{.CPUPerc}}' busy)" '^busy [1-9]'
  hoist rm -f busy
  hoist run -d --name disk busybox sh -c 'dd if=/dev/zero of=/f bs=1M count=8; sync; echo copied; exec sleep 1000'
  until_ok says disk copied
  equal "$(api '/containers/disk/stats?stream=false&one-shot=true' |
    field 'sum(e["value"] for e in d["blkio_stats"]["io_service_bytes_recursive"] if e["op"] == "write") >= 8 << 20')" True
  hoist rm -f disk
}
below() { # no internal processes (cgroups(7)): exec goes where the first process is; all of it goes with the container
  hoist run -d --name deep --privileged busybox sh -c 'cd /sys/fs/cgroup && mkdir -p init/x/y other &&
    echo 0 >init/cgroup.procs && echo +pids >cgroup.subtree_control && echo made && exec sleep 1000'
  until_ok says deep made
  equal "$(hoist exec deep cat /proc/self/cgroup)" 0::/init
  matches "$(hoist top deep)" 'sleep 1000'
  equal "$(api '/containers/deep/stats?stream=false&one-shot=true' | field 'd["pids_stats"]["current"]')" 1
  hoist pause deep && hoist unpause deep
  dir=$(group deep)
  hoist rm -f deep
  [ ! -e "$dir" ] || fail "$dir is still there"
}
parent() { # --cgroup-parent: groups of one's own, and a slice that systemd has
  systemd-run --quiet --slice vm-try.slice sleep 1000
  hoist run -d --name by-slice -m 64m --cgroup-parent vm-try.slice busybox sleep 1000
  dir=/sys/fs/cgroup/vm.slice/vm-try.slice/$(inspect by-slice '{{.Id}}')
  equal "$(cat "$dir/memory.max")" 67108864
  systemctl daemon-reload
  hoist exec by-slice true
  equal "$(cat "$dir/memory.max")" 67108864
  hoist rm -f by-slice
  [ ! -e "$dir" ] || fail "$dir is still there"
  flags=(-m 64m --cgroup-parent /vm-own/two); equal "$(sh 'cat /sys/fs/cgroup/memory.max')" 67108864
  rmdir /sys/fs/cgroup/vm-own/two /sys/fs/cgroup/vm-own
}
journal() {
  hoist run --name told --log-driver journald --log-opt tag=vm-tag --label a=b --log-opt labels=a busybox \
    sh -c 'echo to the journal; echo and errors >&2'
  until_ok journal_has told 'to the journal'
  journalctl -q CONTAINER_NAME=told -o json >/tmp/journal
  equal "$(field '" ".join([d["CONTAINER_TAG"], d["SYSLOG_IDENTIFIER"], d["PRIORITY"], d["A"] if "A" in d else d["a"]])' < <(grep 'to the journal' /tmp/journal))" 'vm-tag vm-tag 6 b'
  equal "$(field 'd["PRIORITY"]' < <(grep 'and errors' /tmp/journal))" 3
  equal "$(field 'd["CONTAINER_ID_FULL"]' < <(grep 'and errors' /tmp/journal))" "$(inspect told '{{.Id}}')"
  matches "$(hoist logs told 2>&1)" 'to the journal'
  hoist rm told
}
journal_has() { journalctl -q "CONTAINER_NAME=$1" -o cat | grep -q "$2"; }

# The units of docs/engine.md, word for word but for where Hoist lies.
unit_of_docs() { awk -v file="$1" '$0 == "# " file { on = 1 } on && /^```$/ { exit } on' /opt/hoist/docs/engine.md; }
service() {
  hoist engine stop
  unit_of_docs /etc/systemd/system/hoist.service | sed 's|/usr/lib/node_modules/hoist|/opt/hoist|' >/etc/systemd/system/hoist.service
  grep -q ExecStart=.*/opt/hoist/dist/engine.js /etc/systemd/system/hoist.service || fail 'no such unit in the docs'
  systemctl daemon-reload
  systemctl start hoist
  until_ok api /_ping
  main=$(systemctl show -P MainPID hoist)
  equal "$(engine_pid)" "$main"
  hoist run -d --name served --restart always -m 64m busybox sleep 1000
  pid=$(inspect served '{{.State.Pid}}')
  systemctl restart hoist
  until_ok api /_ping
  [ "$(engine_pid)" != "$main" ] || fail 'the same engine'
  equal "$(inspect served '{{.State.Status}} {{.State.Pid}}')" "running $pid"
  kill -9 "$(engine_pid)" # systemd brings it back
  until_ok api /_ping
  equal "$(inspect served '{{.State.Pid}}')" "$pid"
  systemctl stop hoist
  kill -0 "$pid" || fail 'the container went with the unit'
  equal "$(systemctl show -P Result hoist)" success
  matches "$(journalctl -q -u hoist -o cat)" '[a-z]'
}
activation() {
  unit_of_docs /etc/systemd/system/hoist.socket >/etc/systemd/system/hoist.socket
  systemctl daemon-reload
  systemctl stop hoist
  rm -f /run/hoist/docker.sock
  systemctl start hoist.socket
  [ "$(systemctl is-active hoist)" != active ] || fail 'active before anybody asked'
  equal "$(stat -c %a /run/hoist/docker.sock)" 660
  equal "$(api /_ping)" OK
  systemctl is-active hoist
  equal "$(inspect served '{{.State.Status}}')" running
  systemctl stop hoist
  equal "$(api /_ping)" OK # and again
  hoist rm -f served
  systemctl stop hoist.socket hoist
  rm /etc/systemd/system/hoist.socket /etc/systemd/system/hoist.service
  systemctl daemon-reload
}

# An image whose command is systemd: links and /etc of this machine, its /usr as a bind mount.
systemd_image() {
  hoist image inspect sysd >/dev/null 2>&1 && return
  mkdir -p /root/sysd/{usr,var,run,proc,sys,dev,tmp,root} && cd /root/sysd
  ln -s usr/bin bin; ln -s usr/sbin sbin; ln -s usr/lib lib; ln -s usr/lib64 lib64
  cp -a /etc etc && rm -rf etc/systemd/system/{graphical.target.wants,hoist*} etc/fstab && : >etc/machine-id
  printf '[Service]\nType=oneshot\nRemainAfterExit=yes\nExecStart=/bin/sh -c "cat /proc/self/cgroup"\n' >etc/systemd/system/try.service
  tar -c . | hoist import - sysd
  cd / && rm -rf /root/sysd
}
in_systemd() { # FLAGS
  systemd_image
  hoist run -d --name sysd -v /usr:/usr:ro "$@" sysd /lib/systemd/systemd --system --unit=multi-user.target
  for _ in $(seq 60); do [[ $(hoist exec sysd systemctl is-system-running 2>/dev/null) =~ running|degraded ]] && break; sleep 1; done
  matches "$(hoist exec sysd systemctl is-system-running || true)" 'running|degraded'
  hoist exec sysd systemctl start try
  equal "$(hoist exec sysd systemctl is-active try)" active
  matches "$(hoist exec sysd journalctl -q -u try -o cat)" '0::/system.slice/try.service'
  matches "$(hoist top sysd)" systemd-journal
  before=$(cat "$(group sysd)/memory.max") # it may divide its group, not widen it
  [ "$(code hoist exec sysd sh -c 'echo 1G >/sys/fs/cgroup/memory.max')" != 0 ] || fail 'memory.max can be written'
  equal "$(cat "$(group sysd)/memory.max")" "$before"
  dir=$(group sysd)
  started=$SECONDS
  hoist stop -t 60 sysd
  [ $((SECONDS - started)) -lt 55 ] || fail 'the stop was no clean one'
  [ ! -e "$dir" ] || fail "$dir is still there"
  hoist rm -f sysd
}
systemd_automatic() { in_systemd -m 300m; }
systemd_privileged() {
  in_systemd --privileged --tmpfs /run --tmpfs /run/lock -e container=hoist --stop-signal SIGRTMIN+3
}

# An ordinary user: from a login of its own, and below a cgroup that its systemd has for it.
as_somebody() {
  setpriv --reuid somebody --regid somebody --clear-groups env -i HOME=/home/somebody "PATH=$PATH" LC_ALL=C.UTF-8 \
    "XDG_RUNTIME_DIR=/run/user/$(id -u somebody)" "DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/$(id -u somebody)/bus" "$@"
}
delegated() { as_somebody systemd-run --user --quiet --wait --pipe "$@"; }
user() { # nothing delegated: containers, no limits
  id somebody >/dev/null 2>&1 || useradd -m somebody
  loginctl enable-linger somebody
  until_ok as_somebody systemctl --user is-active default.target
  as_somebody hoist image bootstrap busybox
  equal "$(as_somebody hoist run --rm busybox id -u)" 0
  equal "$(as_somebody hoist run --rm --user 33:33 busybox id -u)" 33
  equal "$(code as_somebody hoist run --rm -m 64m busybox true)" 125
  matches "$(cat /tmp/err)" 'no memory cgroup controller is delegated to this user'
  as_somebody hoist engine stop
}
user_limits() { # the engine that a unit of the user started, and what it holds, outlive that unit
  as_somebody pkill -x hoist-namespace || true
  equal "$(delegated hoist run --rm -m 64m --pids-limit 20 busybox sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max' | xargs)" '67108864 20'
  delegated hoist run -d --name mine -m 64m busybox sleep 1000
  until_ok as_somebody hoist exec mine true
  equal "$(as_somebody hoist inspect -f '{{.State.Status}}' mine)" running
  equal "$(code as_somebody hoist exec mine dd if=/dev/zero of=/dev/null bs=300M count=1)" 137
  matches "$(as_somebody hoist stats --no-stream --format '{{.MemUsage}}' mine)" '/ 64MiB'
  as_somebody hoist pause mine && as_somebody hoist unpause mine
  as_somebody hoist rm -f mine
  equal "$(delegated hoist run --rm busybox echo again)" again
  as_somebody hoist engine stop
}

# hoist oci, as Podman and containerd call a runtime on a machine with systemd.
bundle() {
  mkdir -p /root/bundle/rootfs/{bin,proc,dev,sys} && cd /root/bundle
  cp "$(command -v busybox)" rootfs/bin/busybox
  rm -f config.json && hoist oci spec
  python3 - "$1" <<'PY'
import json, sys
c = json.load(open('config.json'))
c['process'].update(terminal=False, args=['/bin/busybox', 'sh', '-c', sys.argv[1]])
c['root']['readonly'] = False
c['linux']['cgroupsPath'] = 'system.slice:hoist:vm'
c['linux']['resources'] = dict(c['linux'].get('resources', {}), memory={'limit': 64 << 20}, pids={'limit': 20})
json.dump(c, open('config.json', 'w'))
PY
}
oci() {
  bundle '/bin/busybox cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max'
  equal "$(hoist oci --systemd-cgroup run vm-run | xargs)" '67108864 20'
  bundle 'exec /bin/busybox sleep 1000'
  hoist oci --systemd-cgroup create --pid-file /run/vm.pid vm </dev/null >/dev/null 2>&1
  equal "$(hoist oci state vm | field 'd["status"]')" created
  hoist oci start vm
  equal "$(sed 's/^0:://' "/proc/$(cat /run/vm.pid)/cgroup")" /system.slice/hoist-vm.scope
  systemctl daemon-reload
  equal "$(cat /sys/fs/cgroup/system.slice/hoist-vm.scope/memory.max)" 67108864
  hoist oci pause vm
  matches "$(cat /sys/fs/cgroup/system.slice/hoist-vm.scope/cgroup.events)" 'frozen 1'
  hoist oci resume vm
  hoist oci --systemd-cgroup update --memory 134217728 vm
  equal "$(cat /sys/fs/cgroup/system.slice/hoist-vm.scope/memory.max)" 134217728
  hoist oci kill vm KILL
  until_ok hoist oci delete vm
  [ ! -e /sys/fs/cgroup/system.slice/hoist-vm.scope ] || fail 'its cgroup is still there'
}
