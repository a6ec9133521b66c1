// System calls that Docker's default policy denies, made for real; and those that programs need. x86-64 alone: the
// numbers in the probe come from the compiler, the 32-bit door is that machine's.

import assert from 'node:assert/strict';
import { busybox, compile, inWorld, type World } from './world.ts';

const probe = `
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#define CALL(name, ...) do { errno = 0; pid_t self = getpid(); long r = syscall(__VA_ARGS__); if (getpid() != self) _exit(0); printf("%s %s\\n", name, r >= 0 ? "worked" : strerrorname_np(errno)); } while (0)
int main(void) {
  setbuf(stdout, NULL);
  char big[256] = {0};
  struct clone_args args = {.flags = CLONE_NEWUSER, .exit_signal = SIGCHLD};
  CALL("unshare-mount", SYS_unshare, CLONE_NEWNS);
  CALL("unshare-net", SYS_unshare, CLONE_NEWNET);
  CALL("clone-user", SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0);
  CALL("clone3", SYS_clone3, &args, sizeof args);
  CALL("setns", SYS_setns, open("/proc/self/ns/mnt", O_RDONLY), CLONE_NEWNS);
  CALL("mount", SYS_mount, "none", "/tmp", "tmpfs", 0, 0);
  CALL("umount2", SYS_umount2, "/proc", MNT_DETACH);
  CALL("pivot_root", SYS_pivot_root, "/tmp", "/tmp");
  CALL("fsopen", SYS_fsopen, "tmpfs", 0);
  CALL("open_tree", SYS_open_tree, AT_FDCWD, "/", 1);
  CALL("move_mount", SYS_move_mount, -1, "", -1, "", 0);
  CALL("mount_setattr", SYS_mount_setattr, AT_FDCWD, "/", 0, big, 32);
  CALL("bpf", SYS_bpf, 0, big, sizeof big);
  CALL("perf_event_open", SYS_perf_event_open, big, 0, -1, -1, 0);
  CALL("keyctl", SYS_keyctl, 0, -3, 0);
  CALL("add_key", SYS_add_key, "user", "k", "v", 1, -3);
  CALL("request_key", SYS_request_key, "user", "k", 0, 0);
  CALL("userfaultfd", SYS_userfaultfd, 0);
  CALL("io_uring_setup", SYS_io_uring_setup, 4, big);
  CALL("kexec_load", SYS_kexec_load, 0, 0, 0, 0);
  CALL("init_module", SYS_init_module, big, 8, "");
  CALL("finit_module", SYS_finit_module, 0, "", 0);
  CALL("delete_module", SYS_delete_module, "nothing", 0);
  CALL("open_by_handle_at", SYS_open_by_handle_at, AT_FDCWD, big, O_RDONLY);
  CALL("name_to_handle_at", SYS_name_to_handle_at, AT_FDCWD, "/", big, big, 0);
  CALL("reboot", SYS_reboot, 0, 0, 0, 0);
  CALL("swapon", SYS_swapon, "/etc/passwd", 0);
  CALL("acct", SYS_acct, 0);
  CALL("quotactl", SYS_quotactl, 0, 0, 0, 0);
  CALL("settimeofday", SYS_settimeofday, big, 0);
  CALL("clock_settime", SYS_clock_settime, 0, big);
  CALL("adjtimex-set", SYS_adjtimex, memset(big, 1, 4));
  CALL("syslog", SYS_syslog, 3, big, sizeof big);
  CALL("lookup_dcookie", 212, 0, big, sizeof big);
  CALL("process_vm_readv", SYS_process_vm_readv, 1, 0, 0, 0, 0, 0);
  CALL("kcmp", SYS_kcmp, 1, 1, 0, 0, 0);
  CALL("personality-32", SYS_personality, 0x0008);
  CALL("personality-norandom", SYS_personality, 0x0040000);
  CALL("socket-vsock", SYS_socket, 40, SOCK_STREAM, 0);
  CALL("socket-inet", SYS_socket, AF_INET, SOCK_STREAM, 0);
  CALL("socket-packet", SYS_socket, AF_PACKET, SOCK_RAW, 0);
  CALL("no-such-call", 9999);
  CALL("getpid", SYS_getpid);
  CALL("memfd_create", SYS_memfd_create, "m", 0);
  CALL("prctl-name", SYS_prctl, PR_SET_NAME, "probe", 0, 0, 0);
  pid_t child = fork();
  if (child == 0) { long r = ptrace(PTRACE_TRACEME, 0, 0, 0); _exit(r ? 1 : 0); }
  int status; waitpid(child, &status, 0);
  printf("ptrace %s\\n", WIFEXITED(status) && WEXITSTATUS(status) == 0 ? "worked" : "denied");
#ifdef __x86_64__
  CALL("x32-unshare", 0x40000000 + SYS_unshare, CLONE_NEWUSER);
  CALL("x32-getpid", 0x40000000 + SYS_getpid);
  long r;
  __asm__ volatile("int $0x80" : "=a"(r) : "a"(310), "b"(CLONE_NEWUSER) : "memory", "r8", "r9", "r10", "r11");
  printf("i386-unshare %s\\n", r >= 0 ? "worked" : strerrorname_np((int)-r));
  __asm__ volatile("int $0x80" : "=a"(r) : "a"(20) : "memory", "r8", "r9", "r10", "r11");
  printf("i386-getpid %s\\n", r >= 0 ? "worked" : strerrorname_np((int)-r));
#endif
  CALL("unshare-user", SYS_unshare, CLONE_NEWUSER); /* last: what comes after it has other powers */
  return 0;
}`;

/** What the probe says with these flags: call -> `worked` or an errno. */
async function calls(world: World, ...flags: string[]): Promise<ReadonlyMap<string, string>> {
  const text = await world.ok(['run', '--rm', '-v', `${world.dir}/probe:/probe:ro`, ...flags, 'busybox', '/probe']);
  return new Map(text.split('\n').map((line) => [line.split(' ')[0] ?? '', line.split(' ')[1] ?? '']));
}

async function prepare(world: World): Promise<void> {
  await busybox(world);
  compile(world, 'probe', probe);
}

inWorld('system calls', { prepare, needs: ['cc'] }, (check) => {
  check('denied: what reaches the kernel, the host or other processes', async (world) => {
    const said = await calls(world);
    const denied =
      'unshare-user unshare-mount unshare-net clone-user setns mount umount2 pivot_root fsopen open_tree move_mount mount_setattr bpf perf_event_open keyctl add_key request_key userfaultfd io_uring_setup kexec_load init_module finit_module delete_module open_by_handle_at reboot swapon acct quotactl settimeofday clock_settime syslog lookup_dcookie personality-norandom socket-vsock';
    const worked = denied.split(' ').filter((name) => said.get(name) !== 'EPERM');
    assert.deepEqual(
      worked.map((name) => `${name}: ${said.get(name)}`),
      [],
    );
  });

  check('clone3 and unknown calls are ENOSYS: a C library falls back', async (world) => {
    const said = await calls(world);
    assert.deepEqual([said.get('clone3'), said.get('no-such-call')], ['ENOSYS', 'ENOSYS']);
  });

  check('allowed: what programs need', async (world) => {
    const said = await calls(world);
    for (const name of [
      'getpid',
      'memfd_create',
      'prctl-name',
      'socket-inet',
      'socket-packet',
      'ptrace',
      'personality-32',
    ])
      assert.equal(said.get(name), 'worked', name);
  });

  check(
    'the other doors of the kernel: 32-bit calls and x32 meet the same policy',
    async (world) => {
      const said = await calls(world);
      assert.notEqual(said.get('i386-unshare'), 'worked');
      assert.notEqual(said.get('x32-unshare'), 'worked');
    },
    process.arch === 'x64' ? undefined : 'x86-64 alone has them',
  );

  check('capabilities open their calls: --cap-add SYS_ADMIN, SYS_PTRACE, SYSLOG', async (world) => {
    const admin = await calls(world, '--cap-add', 'SYS_ADMIN');
    for (const name of ['mount', 'unshare-mount', 'fsopen']) assert.equal(admin.get(name), 'worked', name);
    for (const name of ['kexec_load', 'init_module', 'reboot', 'settimeofday'])
      assert.equal(admin.get(name), 'EPERM', name);
    assert.equal((await calls(world, '--cap-add', 'SYSLOG')).get('syslog'), 'worked');
    assert.notEqual((await calls(world, '--cap-add', 'SYS_PTRACE')).get('kcmp'), 'EPERM');
  });

  check('unconfined: the kernel alone decides', async (world) => {
    const said = await calls(world, '--security-opt', 'seccomp=unconfined');
    assert.equal(said.get('keyctl'), 'worked');
    assert.equal(said.get('mount'), 'EPERM');
  });
});
