// Command lines that Docker's client refuses by itself, or that name what is not there: exit code, words, and the first
// line of what is said. compat.test.ts holds them against the real client, where there is one.

export interface Complaint {
  readonly args: readonly string[];
  readonly code: number;
  readonly says: string;
}

export const complaints: readonly Complaint[] = `
1   | run | hoist: 'hoist run' requires at least 1 argument
1   | exec | hoist: 'hoist exec' requires at least 2 arguments
1   | exec x | hoist: 'hoist exec' requires at least 2 arguments
1   | create | hoist: 'hoist create' requires at least 1 argument
1   | start | hoist: 'hoist start' requires at least 1 argument
1   | stop | hoist: 'hoist stop' requires at least 1 argument
1   | kill | hoist: 'hoist kill' requires at least 1 argument
1   | restart | hoist: 'hoist restart' requires at least 1 argument
1   | rm | hoist: 'hoist rm' requires at least 1 argument
1   | wait | hoist: 'hoist wait' requires at least 1 argument
1   | attach | hoist: 'hoist attach' requires 1 argument
1   | attach a b | hoist: 'hoist attach' requires 1 argument
1   | ps x | hoist: 'hoist ps' accepts no arguments
1   | logs | hoist: 'hoist logs' requires 1 argument
1   | logs a b | hoist: 'hoist logs' requires 1 argument
1   | inspect | hoist: 'hoist inspect' requires at least 1 argument
1   | pull | hoist: 'hoist pull' requires 1 argument
1   | pull a b | hoist: 'hoist pull' requires 1 argument
1   | rmi | hoist: 'hoist rmi' requires at least 1 argument
1   | image inspect | hoist: 'hoist image inspect' requires at least 1 argument
1   | import | hoist: 'hoist import' requires at least 1 argument
1   | import a b c | open a: no such file or directory
1   | version x | hoist: 'hoist version' accepts no arguments
1   | info x | hoist: 'hoist info' accepts no arguments
1   | container inspect | hoist: 'hoist container inspect' requires at least 1 argument
1   | container run | hoist: 'hoist container run' requires at least 1 argument
1   | container ps x | hoist: 'hoist container ls' accepts no arguments
125 | -x | unknown shorthand flag: 'x' in -x
125 | --foo | unknown flag: --foo
125 | ps -f | flag needs an argument: 'f' in -f
125 | ps --filter | flag needs an argument: --filter
125 | ps --filter x | invalid argument "x" for "-f, --filter" flag: bad format of filter (expected name=value)
125 | ps -f a | invalid argument "a" for "-f, --filter" flag: bad format of filter (expected name=value)
125 | run --rm=x b | invalid argument "x" for "--rm" flag: strconv.ParseBool: parsing "x": invalid syntax
125 | run -it=x b | invalid argument "x" for "-t, --tty" flag: strconv.ParseBool: parsing "x": invalid syntax
125 | -H | flag needs an argument: 'H' in -H
125 | run -c x b | invalid argument "x" for "-c, --cpu-shares" flag: strconv.ParseInt: parsing "x": invalid syntax
125 | run -m x b | invalid argument "x" for "-m, --memory" flag: invalid size: 'x'
125 | run --pids-limit x b | invalid argument "x" for "--pids-limit" flag: strconv.ParseInt: parsing "x": invalid syntax
125 | run --stop-timeout x b | invalid argument "x" for "--stop-timeout" flag: strconv.ParseInt: parsing "x": invalid syntax
125 | run --health-interval x b | invalid argument "x" for "--health-interval" flag: time: invalid duration "x"
125 | run --ulimit x b | invalid argument "x" for "--ulimit" flag: invalid ulimit argument: x
125 | run --mount x b | invalid argument "x" for "--mount" flag: invalid field 'x' must be a key=value pair
125 | run --mount type=bind b | invalid argument "type=bind" for "--mount" flag: target is required
125 | run --add-host x b | invalid argument "x" for "--add-host" flag: bad format for add-host: "x"
125 | run --label-file /nonexist b | hoist: open /nonexist: no such file or directory
125 | run --env-file /nonexist b | hoist: open /nonexist: no such file or directory
125 | run --network a=b b | invalid argument "a=b" for "--network" flag: invalid field key a
125 | run --sysctl x b | invalid argument "x" for "--sysctl" flag: sysctl 'x' is not allowed
125 | run --blkio-weight x b | invalid argument "x" for "--blkio-weight" flag: strconv.ParseUint: parsing "x": invalid syntax
125 | run --dns x b | invalid argument "x" for "--dns" flag: IP address is not correctly formatted: x
125 | run --dns-search a..b b | invalid argument "a..b" for "--dns-search" flag: a..b is not a valid domain
125 | run --device /nonexist:::: b | hoist: bad format for path: /nonexist::::
125 | run -a foo b | invalid argument "foo" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR
1   | run -d -a stdin b | conflicting options: cannot specify both --attach and --detach
125 | run -e = b | invalid argument "=" for "-e, --env" flag: invalid environment variable: =
125 | run -p 80:80:80:80 b | hoist: invalid IP address: 80:80
125 | run --security-opt x b | hoist: Invalid --security-opt: "x"
125 | run --pull foo b | hoist: invalid pull option: 'foo': must be one of "always", "missing" or "never"
125 | run --platform x/y/z/w b | hoist: error parsing specified platform: "x/y/z/w": cannot parse platform specifier: invalid argument
125 | run --pid x b | hoist: --pid: invalid PID mode
125 | run --uts x b | hoist: --uts: invalid UTS mode
125 | run --userns x b | hoist: --userns: invalid USER mode
125 | run --cgroupns x b | hoist: --cgroupns: invalid CGROUP mode
125 | run --rm --restart always b | hoist: conflicting options: cannot specify both --restart and --rm
125 | run --cpus 0.5.5 b | invalid argument "0.5.5" for "--cpus" flag: failed to parse 0.5.5 as a rational number
125 | run --io-maxbandwidth x b | invalid argument "x" for "--io-maxbandwidth" flag: invalid size: 'x'
125 | run --shm-size x b | invalid argument "x" for "--shm-size" flag: invalid size: 'x'
125 | run --expose x b | hoist: invalid range format for --expose: x, error: strconv.ParseUint: parsing "x": invalid syntax
1   | run -it b | the input device is not a TTY
125 | stop -t x a | invalid argument "x" for "-t, --timeout" flag: strconv.ParseInt: parsing "x": invalid syntax
1   | inspect --type x a | unknown type: "x": must be one of "config", "container", "image", "network", "node", "plugin", "secret", "service", "task", "volume"
64  | inspect -f {{ a | template parsing error: template: :1: unclosed action
1   | ps --format {{ | failed to parse template: template: :1: unclosed action
0   | images --format {{.X}} | 
1   | container x | hoist: unknown command: hoist container x
1   | image x | hoist: unknown command: hoist image x
125 | run --help=foo | invalid argument "foo" for "--help" flag: strconv.ParseBool: parsing "foo": invalid syntax
125 | -v=foo | invalid argument "foo" for "-v, --version" flag: strconv.ParseBool: parsing "foo": invalid syntax
125 | run -it --name | flag needs an argument: --name
1   | run -- | hoist: 'hoist run' requires at least 1 argument
1   | ps -- x | hoist: 'hoist ps' accepts no arguments
1   | ps - | hoist: 'hoist ps' accepts no arguments
64  | version --format {{ | template parsing error: template: version:1: unclosed action
1   | exec -e x=y --env-file /nope a b | open /nope: no such file or directory
125 | --config | flag needs an argument: --config
1   | -l foo ps | Unable to parse logging level: foo
125 | run --disable-content-trust=x b | invalid argument "x" for "--disable-content-trust" flag: strconv.ParseBool: parsing "x": invalid syntax
0   | ps -n -5 | 
0   | ps -lq | 
1   | engine | hoist: unknown command: hoist engine
125 | run -p 80/foo b | hoist: invalid proto: foo
125 | run -p 1.2.3.4:80 b | hoist: invalid hostPort: 1.2.3.4
125 | run -p 80-90:80-82 b | hoist: invalid ranges specified for container and host Ports: 80-82 and 80-90
125 | run -p 99999 b | hoist: invalid containerPort: 99999
125 | run -p 80: b | hoist: no port specified: 80:<empty>
125 | run -p 90-80:80 b | hoist: invalid hostPort: 90-80
125 | run -l =a b | invalid argument "=a" for "-l, --label" flag: invalid label '=a': empty name
125 | run -e =a b | invalid argument "=a" for "-e, --env" flag: invalid environment variable: =a
125 | run --ulimit nofile=x b | invalid argument "nofile=x" for "--ulimit" flag: strconv.ParseInt: parsing "x": invalid syntax
125 | run --ulimit foo=1 b | invalid argument "foo=1" for "--ulimit" flag: invalid ulimit type: foo
125 | run --ulimit nofile=5:1 b | invalid argument "nofile=5:1" for "--ulimit" flag: ulimit soft limit must be less than or equal to hard limit: 5 > 1
125 | run --ulimit nofile=1:2:3 b | invalid argument "nofile=1:2:3" for "--ulimit" flag: too many limit value arguments - 1:2:3, can only have up to two, \`soft[:hard]\`
125 | run --ulimit nofile=-1:5 b | invalid argument "nofile=-1:5" for "--ulimit" flag: ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: 5
125 | run --add-host a:b b | invalid argument "a:b" for "--add-host" flag: invalid IP address in add-host: "b"
125 | run --add-host :1.2.3.4 b | invalid argument ":1.2.3.4" for "--add-host" flag: bad format for add-host: ":1.2.3.4"
125 | run --add-host a: b | invalid argument "a:" for "--add-host" flag: invalid IP address in add-host: ""
125 | run --expose 80:80 b | hoist: invalid port format for --expose: 80:80
125 | run --expose 90-80 b | hoist: invalid range format for --expose: 90-80, error: invalid range specified for port: 90-80
125 | run --mount target=/x,foo=1 b | invalid argument "target=/x,foo=1" for "--mount" flag: unexpected key 'foo' in 'foo=1'
125 | run --mount target=/x,readonly=x b | invalid argument "target=/x,readonly=x" for "--mount" flag: invalid value for readonly: x
125 | run --mount type=bind,target=/x,volume-nocopy b | invalid argument "type=bind,target=/x,volume-nocopy" for "--mount" flag: cannot mix 'volume-*' options with mount type 'bind'
125 | run --mount type=volume,target=/x,bind-propagation=shared b | invalid argument "type=volume,target=/x,bind-propagation=shared" for "--mount" flag: cannot mix 'bind-*' options with mount type 'volume'
125 | run --mount type=tmpfs,target=/x,tmpfs-size=x b | invalid argument "type=tmpfs,target=/x,tmpfs-size=x" for "--mount" flag: invalid value for tmpfs-size: x
125 | run --mount type=tmpfs,target=/x,tmpfs-mode=9 b | invalid argument "type=tmpfs,target=/x,tmpfs-mode=9" for "--mount" flag: invalid value for tmpfs-mode: 9
125 | run --mount type=bind,source=/a,target=/x,tmpfs-size=1 b | invalid argument "type=bind,source=/a,target=/x,tmpfs-size=1" for "--mount" flag: cannot mix 'tmpfs-*' options with mount type 'bind'
125 | run --mount type=bind,target=/x,bind-recursive=x b | invalid argument "type=bind,target=/x,bind-recursive=x" for "--mount" flag: invalid value for bind-recursive: x (must be "enabled", "disabled", "writable", or "readonly")
125 | run --mount type=bind,target=/x,bind-recursive=writable,ro=0 b | invalid argument "type=bind,target=/x,bind-recursive=writable,ro=0" for "--mount" flag: option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction
125 | run --mount type=bind,target=/x,bind-recursive=readonly b | invalid argument "type=bind,target=/x,bind-recursive=readonly" for "--mount" flag: option 'bind-recursive=readonly' requires 'readonly' to be specified in conjunction
125 | run --mount type=,target=/x b | invalid argument "type=,target=/x" for "--mount" flag: type is required
125 | run --mount target b | invalid argument "target" for "--mount" flag: invalid field 'target' must be a key=value pair
125 | run --mount type=bind,target=/x,ro=true,rw b | invalid argument "type=bind,target=/x,ro=true,rw" for "--mount" flag: invalid field 'rw' must be a key=value pair
125 | run --dns 300.1.1.1 b | invalid argument "300.1.1.1" for "--dns" flag: IP address is not correctly formatted: 300.1.1.1
125 | run --sysctl net.a b | invalid argument "net.a" for "--sysctl" flag: sysctl 'net.a' is not allowed
125 | run --cpus 1.0000000001 b | invalid argument "1.0000000001" for "--cpus" flag: value is too precise
125 | run --cpus 1/3 b | invalid argument "1/3" for "--cpus" flag: value is too precise
125 | run -m -1 b | invalid argument "-1" for "-m, --memory" flag: invalid size: '-1'
125 | run -m 1kk b | invalid argument "1kk" for "-m, --memory" flag: invalid suffix: 'kk'
125 | run --memory-swap -2 b | invalid argument "-2" for "--memory-swap" flag: invalid size: '-2'
125 | run --shm-size -1 b | invalid argument "-1" for "--shm-size" flag: invalid size: '-1'
125 | run --security-opt seccomp=/nope b | hoist: opening seccomp profile (/nope) failed: open /nope: no such file or directory
125 | run --pid container: b | hoist: --pid: invalid PID mode
125 | run --uts container:x b | hoist: --uts: invalid UTS mode
125 | run --platform x b | hoist: error parsing specified platform: "x": unknown operating system or architecture: invalid argument
125 | run --cgroupns container:x b | hoist: --cgroupns: invalid CGROUP mode
125 | run --network a,b=1 b | invalid argument "a,b=1" for "--network" flag: invalid field a
125 | run --log-driver none --log-opt max-size=b b | hoist: invalid logging opts for driver none
125 | run --pids-limit 99999999999999999999 b | invalid argument "99999999999999999999" for "--pids-limit" flag: strconv.ParseInt: parsing "99999999999999999999": value out of range
125 | run --blkio-weight 70000 b | invalid argument "70000" for "--blkio-weight" flag: strconv.ParseUint: parsing "70000": value out of range
125 | run --health-timeout 5 b | invalid argument "5" for "--health-timeout" flag: time: missing unit in duration "5"
125 | run --health-timeout 5x b | invalid argument "5x" for "--health-timeout" flag: time: unknown unit "x" in duration "5x"
125 | run --kernel-memory x b | invalid argument "x" for "--kernel-memory" flag: invalid size: 'x'
125 | run --attach foo b | invalid argument "foo" for "-a, --attach" flag: valid streams are STDIN, STDOUT and STDERR
125 | run --init=x b | invalid argument "x" for "--init" flag: strconv.ParseBool: parsing "x": invalid syntax
125 | run --stop-timeout 1.5 b | invalid argument "1.5" for "--stop-timeout" flag: strconv.ParseInt: parsing "1.5": invalid syntax
125 | run --cpu-period x b | invalid argument "x" for "--cpu-period" flag: strconv.ParseInt: parsing "x": invalid syntax
125 | run --memory-reservation x b | invalid argument "x" for "--memory-reservation" flag: invalid size: 'x'
125 | run --oom-score-adj x b | invalid argument "x" for "--oom-score-adj" flag: strconv.ParseInt: parsing "x": invalid syntax
125 | run --device /dev/null:/x:rwx --pull x b | hoist: invalid pull option: 'x': must be one of "always", "missing" or "never"
125 | ps -aqx | unknown shorthand flag: 'x' in -x
125 | ps -q= | unknown shorthand flag: '=' in -=
125 | ps --=x | bad flag syntax: --=x
125 | ps ---x | bad flag syntax: ---x
125 | -D container --foo | unknown flag: --foo
125 | container --foo | unknown flag: --foo
1   | container help | hoist: unknown command: hoist container help
125 | --version --foo | unknown flag: --foo
125 | ps --all=maybe | invalid argument "maybe" for "-a, --all" flag: strconv.ParseBool: parsing "maybe": invalid syntax
125 | create -p x b | hoist: invalid containerPort: x
1   | create --platform x/y/z/w b | error parsing specified platform: "x/y/z/w": cannot parse platform specifier: invalid argument
125 | create --pull x b | hoist: invalid pull option: 'x': must be one of "always", "missing" or "never"
1   | create ABC | invalid reference format: repository name (library/ABC) must be lowercase
125 | run ABC | hoist: invalid reference format: repository name (library/ABC) must be lowercase
1   | pull ABC | invalid reference format: repository name (library/ABC) must be lowercase
1   | pull a:b -a | tag can't be used with --all-tags/-a
1   | rm / | container name cannot be empty
1   | import /nope | open /nope: no such file or directory
1   | start -a x y | you cannot start and attach multiple containers at once
1   | exec -it nope true | Error response from daemon: No such container: nope
1   | exec -it web true | the input device is not a TTY
1   | stop nope nope2 | Error response from daemon: No such container: nope
1   | start nope nope2 | Error response from daemon: No such container: nope
1   | wait nope | Error response from daemon: No such container: nope
1   | kill nope | Error response from daemon: No such container: nope
0   | rm -f nope | Error response from daemon: No such container: nope
1   | logs --since x web | invalid value for "since": failed to parse value as time or duration: "x"
1   | logs nope | Error response from daemon: No such container: nope
1   | attach nope | Error response from daemon: No such container: nope
1   | rmi nope | Error response from daemon: No such image: nope
1   | images --format {{ | template parsing error: template: :1: unclosed action
125 | ps -n 1.5 | invalid argument "1.5" for "-n, --last" flag: strconv.ParseInt: parsing "1.5": invalid syntax
125 | restart --time x a | invalid argument "x" for "--time" flag: strconv.ParseInt: parsing "x": invalid syntax
1   | restart nope | Error response from daemon: No such container: nope
125 | stop -t | flag needs an argument: 't' in -t
125 | kill -s | flag needs an argument: 's' in -s
125 | logs -n | flag needs an argument: 'n' in -n
125 | rm --foo a | unknown flag: --foo
125 | exec --detach-keys | flag needs an argument: --detach-keys
125 | start --foo | unknown flag: --foo
125 | run --network-alias a b | hoist: network-scoped aliases are only supported for user-defined networks
125 | run --network host --network foo b | hoist: conflicting options: cannot attach both user-defined and non-user-defined network-modes
125 | run --network foo --network foo b | hoist: network "foo" is specified multiple times
125 | run --network name=foo,ip=1.1.1.1 --ip 1.2.3.4 b | hoist: conflicting options: cannot specify both --ip and per-network IPv4 address
125 | run --network name=foo,alias=a --network-alias c b | hoist: conflicting options: cannot specify both --network-alias and per-network alias
125 | run --network name=foo,mac-address=02:42:ac:11:00:03 --mac-address 02:42:ac:11:00:02 b | hoist: conflicting options: cannot specify both --mac-address and per-network MAC address
125 | run --network name=foo,gw-priority=x b | invalid argument "name=foo,gw-priority=x" for "--network" flag: invalid gw-priority (x): invalid syntax
125 | run --network name=foo,driver-opt=x b | invalid argument "name=foo,driver-opt=x" for "--network" flag: invalid key value pair format in driver options
125 | run --network alias=x b | invalid argument "alias=x" for "--network" flag: network name/id is not specified
125 | run --network name=foo,link=x:y b | invalid argument "name=foo,link=x:y" for "--network" flag: invalid field key link
125 | run --network= b | hoist: no name set for network
125 | run --mac-address zz b | hoist: zz is not a valid mac address
125 | run --link x:y:z b | invalid argument "x:y:z" for "--link" flag: bad format for links: x:y:z
125 | run --link= b | invalid argument "" for "--link" flag: empty string specified for links
125 | run --restart :3 b | hoist: invalid restart policy format: no policy provided before colon
125 | run --restart on-failure:x b | hoist: invalid restart policy format: maximum retry count must be an integer
125 | run --rm --restart always b | hoist: conflicting options: cannot specify both --restart and --rm
125 | run --memory-swappiness 101 b | hoist: invalid value: 101. Valid memory swappiness range is 0-100
125 | run --storage-opt x b | hoist: invalid storage option
125 | run --no-healthcheck --health-cmd true b | hoist: --no-healthcheck conflicts with --health-* options
125 | run --health-interval -1s b | hoist: --health-interval cannot be negative
125 | run --health-retries -1 b | hoist: --health-retries cannot be negative
125 | run --health-start-period -5s b | hoist: --health-start-period cannot be negative
125 | run --blkio-weight-device /dev/sda b | invalid argument "/dev/sda" for "--blkio-weight-device" flag: bad format: /dev/sda
125 | run --blkio-weight-device sda:5 b | invalid argument "sda:5" for "--blkio-weight-device" flag: bad format for device path: sda:5
125 | run --blkio-weight-device /dev/sda:5 b | invalid argument "/dev/sda:5" for "--blkio-weight-device" flag: invalid weight for device: /dev/sda:5
125 | run --device-read-bps /dev/sda:x b | invalid argument "/dev/sda:x" for "--device-read-bps" flag: invalid rate for device: /dev/sda:x. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb
125 | run --device-write-bps sda:1 b | invalid argument "sda:1" for "--device-write-bps" flag: bad format for device path: sda:1
125 | run --device-read-iops /dev/sda:-1 b | invalid argument "/dev/sda:-1" for "--device-read-iops" flag: invalid rate for device: /dev/sda:-1. The correct format is <device-path>:<number>. Number must be a positive integer
125 | run --device-write-iops /dev/sda:1mb b | invalid argument "/dev/sda:1mb" for "--device-write-iops" flag: invalid rate for device: /dev/sda:1mb. The correct format is <device-path>:<number>. Number must be a positive integer
125 | run --device-cgroup-rule x b | invalid argument "x" for "--device-cgroup-rule" flag: invalid device cgroup format 'x'
125 | run --gpus foo=bar b | invalid argument "foo=bar" for "--gpus" flag: unexpected key 'foo' in 'foo=bar'
125 | run --gpus x b | invalid argument "x" for "--gpus" flag: invalid count (x): value must be either "all" or an integer: invalid syntax
125 | run --gpus count=1,count=2 b | invalid argument "count=1,count=2" for "--gpus" flag: gpu request key 'count' can be specified only once
125 | run --userns foo b | hoist: --userns: invalid USER mode
125 | run --security-opt foo b | hoist: Invalid --security-opt: "foo"
1   | run --isolation b | hoist: 'hoist run' requires at least 1 argument
1   | create --cidfile /nowhere/at/all b | failed to create the container ID file: open /nowhere/at/all: no such file or directory
125 | run --annotation | flag needs an argument: --annotation
125 | run --label-file /nope b | hoist: open /nope: no such file or directory
125 | run --env-file /nope b | hoist: open /nope: no such file or directory
1   | network create --subnet 10.0.0.0/24 --subnet 10.0.0.0/25 n | multiple overlapping subnet configuration is not supported
1   | network create --gateway 1.1.1.1 n | every ip-range or gateway must have a corresponding subnet
1   | network create --subnet 10.0.0.0/24 --gateway 10.1.0.1 n | no matching subnet for gateway 10.1.0.1
1   | network create --subnet 10.0.0.0/24 --ip-range 10.1.0.0/25 n | no matching subnet for range 10.1.0.0/25
1   | network create --subnet 10.0.0.0/24 --aux-address a=1.1.1.1 n | no matching subnet for aux-address 1.1.1.1
125 | network create --label =a n | invalid argument "=a" for "--label" flag: invalid label '=a': empty name
1   | network create --subnet x --gateway 1.1.1.1 n | invalid subnet: invalid CIDR address: x
1   | network connect --driver-opt a n c | invalid key/value pair format in driver options
125 | network connect --link a:b:c n c | invalid argument "a:b:c" for "--link" flag: bad format for links: a:b:c
125 | network connect --gw-priority x n c | invalid argument "x" for "--gw-priority" flag: strconv.ParseInt: parsing "x": invalid syntax
1   | update web | you must provide one or more flags when using this command
1   | update --restart on-failure:x web | invalid restart policy format: maximum retry count must be an integer
1   | rename web | hoist: 'hoist rename' requires 2 arguments
`
  .trim()
  .split('\n')
  .map((row) => {
    const [code = '', line = '', ...says] = row.split(' | ');
    return { args: line.split(' '), code: Number(code), says: says.join(' | ') };
  });
