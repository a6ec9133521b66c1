/* Made by tools/gen-ops.mjs from ops.def. Do not edit. */
#pragma once
#define OP_OPEN 1
#define OP_CLOSE 2
#define OP_MKDIR 3
#define OP_ENSURE 4
#define OP_SYMLINK 5
#define OP_MKNOD 6
#define OP_FSMOUNT 7
#define OP_OPEN_TREE 8
#define OP_MOUNT_ATTR 9
#define OP_MOVE_MOUNT 10
#define OP_PIVOT_ROOT 11
#define OP_UMOUNT 12
#define OP_WRITE_FILE 13
#define OP_WRITE 14
#define OP_RMDIR 16
#define OP_UNLINK 17
#define OP_PIPE 18
#define OP_CLONE 19
#define OP_SETNS 20
#define OP_UNSHARE 21
#define OP_HOSTNAME 22
#define OP_DOMAINNAME 23
#define OP_NETLINK 25
#define OP_RLIMIT 26
#define OP_CAPABILITIES 27
#define OP_IDS 28
#define OP_PRCTL 29
#define OP_SECCOMP 30
#define OP_UMASK 31
#define OP_CHDIR 32
#define OP_SESSION 33
#define OP_STDIO 34
#define OP_SIGNAL 35
#define OP_AWAIT 36
#define OP_SEND_FD 37
#define OP_RECV_FD 38
#define OP_EXEC 39
#define OP_AWAIT_EXEC 40
#define OP_REPORT 41
#define OP_CONNECT 90
#define OP_STEP 91
#define OP_KEEP 42
#define OP_LISTEN 43
#define OP_BIND_PORT 44
#define OP_CHOWN 45
#define OP_TITLE 47
#define OP_PIDFD 49
#define OP_CGROUP_KILL 50
#define OP_OPEN_PTY 51
#define OP_INIT 52
#define OP_MOUNT_CLASSIC 53
#define OP_SETXATTR 54
#define OP_LOOP 59
#define OP_LOCK 60
#define OP_HOLD 61
#define OP_DEVICE_FILTER 62
#define OP_REMOVE_TREE 63
#define OP_NICE 64
#define OP_COPY_TREE 67
#define OP_XATTRS 68
#define OP_HAND_OVER 65
#define OP_DATAGRAM 70
#define OP_FORWARD 120
#define OP_CHILD_FILE 80
#define OP_HOOK 81
#define OP_USERNS 82
#define OP_IDMAP 83
#define OP_SCHEDULER 84
#define OP_IO_PRIORITY 85
#define OP_AFFINITY 86
#define OP_PERSONALITY 87
#define OP_CHROOT 88
#define OP_COVER 89
#define OP_SEND_STATE 95
#define OP_LISTENER 92
#define OP_RECLONE 93
#define OP_ADOPT 94
#define OP_RUNNABLE 100
#define OP_AWAIT_BYTE 101
#define OP_RELEASE 102
#define OP_NOTE_PID 103
#define OP_GIVE_FD 104
#define OP_SIGNAL_PID 105
#define OP_RELAY 106
#define OP_PASS_FDS 107
#define OP_LAST 120

struct op_open { uint16_t dir; struct str path; uint32_t flags; uint32_t mode; uint32_t resolve; uint16_t out; };
struct op_close { uint16_t slot; };
struct op_mkdir { struct str path; uint32_t mode; };
struct op_ensure { uint16_t root; struct str path; uint32_t kind; uint32_t mode; uint32_t uid; uint32_t gid; uint16_t out; };
struct op_symlink { uint16_t root; struct str target; struct str path; };
struct op_mknod { uint16_t root; struct str path; uint32_t mode; uint32_t major; uint32_t minor; };
struct op_fsmount { struct str fstype; uint16_t source; struct strs options; uint32_t attrs; uint16_t out; };
struct op_openTree { uint16_t dir; struct str path; uint32_t flags; uint16_t out; };
struct op_mountAttr { uint16_t mount; struct str path; uint64_t set; uint64_t clear; uint64_t propagation; uint32_t recursive; };
struct op_moveMount { uint16_t from; uint16_t to; };
struct op_pivotRoot { uint16_t root; };
struct op_umount { struct str path; uint32_t flags; };
struct op_writeFile { uint16_t dir; struct str path; struct str data; uint32_t flags; uint32_t mode; };
struct op_write { uint16_t slot; struct str data; };
struct op_rmdir { struct str path; };
struct op_unlink { struct str path; };
struct op_pipe { uint32_t capacity; uint16_t read; uint16_t write; };
struct op_clone { uint64_t flags; uint16_t cgroup; uint16_t pidfd; };
struct op_setns { uint16_t slot; uint32_t flags; };
struct op_unshare { uint32_t flags; };
struct op_hostname { struct str name; };
struct op_domainname { struct str name; };
struct op_netlink { uint32_t protocol; struct str data; uint32_t acks; struct patches patches; };
struct op_rlimit { uint32_t resource; uint64_t soft; uint64_t hard; };
struct op_capabilities { uint64_t effective; uint64_t permitted; uint64_t inheritable; uint64_t bounding; uint64_t ambient; };
struct op_ids { uint32_t uid; uint32_t gid; struct str groups; };
struct op_prctl { uint32_t option; uint64_t a; uint64_t b; };
struct op_seccomp { struct str filter; uint32_t flags; };
struct op_umask { uint32_t mode; };
struct op_chdir { struct str path; };
struct op_session { uint16_t tty; };
struct op_stdio { uint16_t in; uint16_t out; uint16_t err; };
struct op_sendFd { uint16_t slot; };
struct op_recvFd { uint16_t out; };
struct op_exec { struct strs paths; struct strs argv; struct strs env; };
struct op_report { uint32_t stage; };
struct op_connect { struct str path; uint16_t out; };
struct op_step { uint16_t slot; uint32_t section; uint32_t index; };
struct op_keep { uint16_t listen; uint16_t in; uint16_t out; uint16_t err; uint16_t tty; struct str log; uint64_t logMax; uint32_t logFiles; struct str exitPath; struct str oomPath; uint32_t flags; uint32_t expect; };
struct op_listen { struct str path; uint32_t mode; uint16_t out; };
struct op_bindPort { uint32_t family; uint32_t type; struct str address; uint32_t port; uint32_t reuse; uint16_t out; };
struct op_chown { uint16_t slot; uint32_t uid; uint32_t gid; };
struct op_title { struct str name; };
struct op_pidfd { uint32_t pid; uint16_t out; };
struct op_cgroupKill { struct str path; };
struct op_openPty { uint16_t ptmx; uint32_t rows; uint32_t columns; uint16_t out; };
struct op_mountClassic { struct str source; struct str target; struct str fstype; uint64_t flags; struct str data; };
struct op_setxattr { uint16_t root; struct str path; struct str name; struct str value; };
struct op_loop { uint16_t file; uint16_t out; };
struct op_lock { struct str path; uint16_t out; };
struct op_hold { uint16_t slot; };
struct op_deviceFilter { uint16_t cgroup; struct str program; };
struct op_removeTree { struct str path; };
struct op_nice { uint32_t increment; };
struct op_copyTree { uint16_t from; uint16_t to; };
struct op_xattrs { uint16_t root; struct str path; struct strs names; };
struct op_handOver { uint16_t slot; struct str text; };
struct op_datagram { struct str path; struct str data; };
struct op_forward { struct patches from; struct str to; };
struct op_childFile { struct str path; struct str data; };
struct op_hook { struct str path; struct strs argv; struct strs env; uint32_t timeout; struct str state; };
struct op_userns { struct str uids; struct str gids; uint16_t out; };
struct op_idmap { uint16_t mount; uint16_t userns; uint32_t recursive; };
struct op_scheduler { uint32_t policy; uint64_t flags; uint32_t nice; uint32_t priority; uint64_t runtime; uint64_t deadline; uint64_t period; };
struct op_ioPriority { uint32_t value; };
struct op_affinity { struct str cpus; };
struct op_personality { uint32_t persona; };
struct op_chroot { uint16_t root; };
struct op_cover { uint16_t root; struct str path; uint16_t directory; uint16_t file; };
struct op_sendState { uint16_t socket; uint16_t fd; struct str state; };
struct op_listener { struct str filter; uint32_t flags; uint16_t out; };
struct op_reclone { uint64_t flags; };
struct op_runnable { struct strs paths; };
struct op_awaitByte { uint16_t slot; };
struct op_release { struct str path; };
struct op_notePid { struct str path; };
struct op_giveFd { struct str path; uint16_t slot; struct str text; };
struct op_signalPid { uint32_t pid; uint64_t started; uint32_t signal; };
struct op_relay { uint16_t slot; };
struct op_passFds { uint32_t count; };

struct op {
	uint16_t code;
	uint16_t allow; /* an errno that is no failure, 0: none */
	union {
		struct op_open open;
		struct op_close close;
		struct op_mkdir mkdir;
		struct op_ensure ensure;
		struct op_symlink symlink;
		struct op_mknod mknod;
		struct op_fsmount fsmount;
		struct op_openTree openTree;
		struct op_mountAttr mountAttr;
		struct op_moveMount moveMount;
		struct op_pivotRoot pivotRoot;
		struct op_umount umount;
		struct op_writeFile writeFile;
		struct op_write write;
		struct op_rmdir rmdir;
		struct op_unlink unlink;
		struct op_pipe pipe;
		struct op_clone clone;
		struct op_setns setns;
		struct op_unshare unshare;
		struct op_hostname hostname;
		struct op_domainname domainname;
		struct op_netlink netlink;
		struct op_rlimit rlimit;
		struct op_capabilities capabilities;
		struct op_ids ids;
		struct op_prctl prctl;
		struct op_seccomp seccomp;
		struct op_umask umask;
		struct op_chdir chdir;
		struct op_session session;
		struct op_stdio stdio;
		struct op_sendFd sendFd;
		struct op_recvFd recvFd;
		struct op_exec exec;
		struct op_report report;
		struct op_connect connect;
		struct op_step step;
		struct op_keep keep;
		struct op_listen listen;
		struct op_bindPort bindPort;
		struct op_chown chown;
		struct op_title title;
		struct op_pidfd pidfd;
		struct op_cgroupKill cgroupKill;
		struct op_openPty openPty;
		struct op_mountClassic mountClassic;
		struct op_setxattr setxattr;
		struct op_loop loop;
		struct op_lock lock;
		struct op_hold hold;
		struct op_deviceFilter deviceFilter;
		struct op_removeTree removeTree;
		struct op_nice nice;
		struct op_copyTree copyTree;
		struct op_xattrs xattrs;
		struct op_handOver handOver;
		struct op_datagram datagram;
		struct op_forward forward;
		struct op_childFile childFile;
		struct op_hook hook;
		struct op_userns userns;
		struct op_idmap idmap;
		struct op_scheduler scheduler;
		struct op_ioPriority ioPriority;
		struct op_affinity affinity;
		struct op_personality personality;
		struct op_chroot chroot;
		struct op_cover cover;
		struct op_sendState sendState;
		struct op_listener listener;
		struct op_reclone reclone;
		struct op_runnable runnable;
		struct op_awaitByte awaitByte;
		struct op_release release;
		struct op_notePid notePid;
		struct op_giveFd giveFd;
		struct op_signalPid signalPid;
		struct op_relay relay;
		struct op_passFds passFds;
	};
};

/* X(name): one line per op, for the executor's table */
#define FOR_EACH_OP(X) \
	X(OPEN, open) \
	X(CLOSE, close) \
	X(MKDIR, mkdir) \
	X(ENSURE, ensure) \
	X(SYMLINK, symlink) \
	X(MKNOD, mknod) \
	X(FSMOUNT, fsmount) \
	X(OPEN_TREE, openTree) \
	X(MOUNT_ATTR, mountAttr) \
	X(MOVE_MOUNT, moveMount) \
	X(PIVOT_ROOT, pivotRoot) \
	X(UMOUNT, umount) \
	X(WRITE_FILE, writeFile) \
	X(WRITE, write) \
	X(RMDIR, rmdir) \
	X(UNLINK, unlink) \
	X(PIPE, pipe) \
	X(CLONE, clone) \
	X(SETNS, setns) \
	X(UNSHARE, unshare) \
	X(HOSTNAME, hostname) \
	X(DOMAINNAME, domainname) \
	X(NETLINK, netlink) \
	X(RLIMIT, rlimit) \
	X(CAPABILITIES, capabilities) \
	X(IDS, ids) \
	X(PRCTL, prctl) \
	X(SECCOMP, seccomp) \
	X(UMASK, umask) \
	X(CHDIR, chdir) \
	X(SESSION, session) \
	X(STDIO, stdio) \
	X(SIGNAL, signal) \
	X(AWAIT, await) \
	X(SEND_FD, sendFd) \
	X(RECV_FD, recvFd) \
	X(EXEC, exec) \
	X(AWAIT_EXEC, awaitExec) \
	X(REPORT, report) \
	X(CONNECT, connect) \
	X(STEP, step) \
	X(KEEP, keep) \
	X(LISTEN, listen) \
	X(BIND_PORT, bindPort) \
	X(CHOWN, chown) \
	X(TITLE, title) \
	X(PIDFD, pidfd) \
	X(CGROUP_KILL, cgroupKill) \
	X(OPEN_PTY, openPty) \
	X(INIT, init) \
	X(MOUNT_CLASSIC, mountClassic) \
	X(SETXATTR, setxattr) \
	X(LOOP, loop) \
	X(LOCK, lock) \
	X(HOLD, hold) \
	X(DEVICE_FILTER, deviceFilter) \
	X(REMOVE_TREE, removeTree) \
	X(NICE, nice) \
	X(COPY_TREE, copyTree) \
	X(XATTRS, xattrs) \
	X(HAND_OVER, handOver) \
	X(DATAGRAM, datagram) \
	X(FORWARD, forward) \
	X(CHILD_FILE, childFile) \
	X(HOOK, hook) \
	X(USERNS, userns) \
	X(IDMAP, idmap) \
	X(SCHEDULER, scheduler) \
	X(IO_PRIORITY, ioPriority) \
	X(AFFINITY, affinity) \
	X(PERSONALITY, personality) \
	X(CHROOT, chroot) \
	X(COVER, cover) \
	X(SEND_STATE, sendState) \
	X(LISTENER, listener) \
	X(RECLONE, reclone) \
	X(ADOPT, adopt) \
	X(RUNNABLE, runnable) \
	X(AWAIT_BYTE, awaitByte) \
	X(RELEASE, release) \
	X(NOTE_PID, notePid) \
	X(GIVE_FD, giveFd) \
	X(SIGNAL_PID, signalPid) \
	X(RELAY, relay) \
	X(PASS_FDS, passFds)
