#!/bin/bash
# npm test: everything, on a machine as it is. As root on Debian it installs what is missing and says so; as another user it
# installs no packages and runs what can run. What cannot run is skipped, and named with the reason at the end.
# Arguments: test files to run instead of all.
set -u
cd "$(dirname "$0")/.." || exit 1
say() { printf '== %s\n' "$*"; }
die() { printf 'test: %s\n' "$*" >&2; exit 1; }
started=$SECONDS

node_ok='const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'
node -e "$node_ok" 2>/dev/null || die "Node 20.19 or newer must be in PATH (here: $(node --version 2>/dev/null || echo none))"

# --- what the machine lacks: a command, then the Debian package that has it
needs="cc:gcc strip:binutils busybox:busybox-static docker-registry:docker-registry nft:nftables ip:iproute2
  mmdebstrap:mmdebstrap zstd:zstd xz:xz-utils setfattr:attr
  newuidmap:uidmap pasta:passt
  openssl:openssl nsenter:util-linux script:bsdutils /usr/include/stdlib.h:libc6-dev
  /etc/protocols:netbase docker-compose:docker-compose sshd:openssh-server /usr/lib/python3/dist-packages/docker/__init__.py:python3-docker"
missing=
for need in $needs; do
  command=${need%%:*}
  [ -e "$command" ] || PATH=$PATH:/usr/sbin:/sbin command -v "$command" >/dev/null || missing="$missing ${need##*:}"
done
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  say "installing Debian packages:$missing"
  # packages of daemons start them: not for a test (policy-rc.d, Debian policy 9.3.3.1)
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' >$policy && chmod 755 $policy; else policy=; fi
  export DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086
  { apt-get -qq update && apt-get -qq install -y --no-install-recommends $missing >/dev/null; } ||
    say "apt-get failed: tests that need these are skipped"
  [ -n "$policy" ] && rm -f $policy
elif [ -n "$missing" ]; then
  say "not installed here, and not for this user to install:$missing"
fi
PATH=$PATH:/usr/sbin:/sbin

if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  say "installing npm packages into node_modules/ (npm ci)"
  npm ci --no-audit --no-fund --loglevel=error || die "npm ci failed"
  touch node_modules/.package-lock.json
fi

# --- everything that tests make lies below one directory, which goes at the end
scratch=$(mktemp -d /tmp/ht.XXXXXX) || die "cannot make a directory in /tmp"
chmod 711 "$scratch" # tests without root go through it
export TMPDIR=$scratch
clean() { rm -rf "$scratch"; }
trap clean EXIT
trap 'exit 130' INT TERM
mkdir -m 711 "$scratch/tmp" && TMPDIR=$scratch/tmp
export HOIST_TEST_RUN=${scratch#*.} # part of the names of what cannot lie there (network namespaces)

# --- build; without a compiler the pure tests still run
if command -v cc >/dev/null; then
  say "building bin/hoist and dist/"
  node tools/build.mjs || die "the build failed"
else
  say "no C compiler: bin/hoist is not built, what needs it is skipped"
fi

failed=0 left=0
say "checking the sources (npm run check)"
if node tools/check.mjs; then check=passed; else check=failed failed=1; fi

# --- the tests
if [ $# -gt 0 ]; then files=("$@"); else mapfile -t files < <(find src test -name '*.test.ts' | sort); fi
say "running ${#files[@]} test files with node $(node --version)"
node --import tsx --test --test-timeout=300000 \
  --test-reporter=spec --test-reporter-destination=stdout \
  --test-reporter=./tools/test-summary.mjs --test-reporter-destination="$scratch/summary" "${files[@]}" || failed=1

# --- nothing may stay behind: processes and mounts first, they hold files
for fd in /proc/[0-9]*/fd/* /proc/[0-9]*/cwd; do
  case $(readlink "$fd" 2>/dev/null) in "$TMPDIR"/*) pid=${fd#/proc/} && echo "${pid%%/*}" ;; esac
done | sort -un | while read -r pid; do
  echo "process $pid: $(tr '\0' ' ' <"/proc/$pid/cmdline" 2>/dev/null)"
done >"$scratch/left"
grep -h " $TMPDIR" /proc/self/mounts | awk '{ print "mount " $2 }' >>"$scratch/left"
find "$TMPDIR" -mindepth 1 -maxdepth 1 ! -name 'node-compile-cache' ! -name 'tsx-*' -printf 'in the temporary directory: %f\n' >>"$scratch/left"
find /run/netns -name "*$HOIST_TEST_RUN*" -printf 'network namespace %f\n' >>"$scratch/left" 2>/dev/null
if [ -s "$scratch/left" ]; then
  say "failed: left behind by a test:"
  sed 's/^/  /' "$scratch/left"
  left=1
fi

IFS=$'\t' read -r passed broken skipped <"$scratch/summary" || die "the test runner ended without a summary"
if [ $check = passed ]; then passed=$((passed + 1)); else broken=$((broken + 1)) && say "failed: npm run check"; fi
if [ $left = 0 ]; then passed=$((passed + 1)); else broken=$((broken + 1)); fi
grep -P '^failed\t' "$scratch/summary" | while IFS=$'\t' read -r _ why name; do say "failed: $name: $why"; done
if grep -qP '^skipped\t' "$scratch/summary"; then
  say "skipped, and why:"
  grep -P '^skipped\t' "$scratch/summary" | sort -t$'\t' -k2,2 -s | awk -F'\t' '$2 != last { print "  " $2 ":"; last = $2 } { print "    " $3 }'
fi
say "$((SECONDS - started)) s"
echo "$passed passed, $broken failed, $skipped skipped"
[ $failed = 0 ] && [ "$broken" = 0 ]
