# What a Python program does with Docker's API, through docker-py: every step checks its own result.
# DOCKER_HOST names the engine; the image busybox is there.
import io, json, sys, tarfile, threading, time
import docker
from docker.errors import APIError, ContainerError, ImageNotFound, NotFound

client = docker.from_env()
base = client.api


def step(name):
    print(f"step {name}", flush=True)


def expect(error, status, act):
    try:
        act()
    except error as raised:
        assert raised.status_code == status, f"{raised.status_code}: {raised}"
        return str(raised)
    raise AssertionError(f"no {error.__name__}")


step("ping and version")
assert client.ping() is True
assert client.version()["ApiVersion"]
assert client.info()["OSType"] == "linux"

step("run in the foreground")
assert client.containers.run("busybox", "echo hello", remove=True) == b"hello\n"
both = client.containers.run("busybox", ["sh", "-c", "echo out; echo err >&2"], remove=True, stdout=True, stderr=True)
assert sorted(both.split()) == [b"err", b"out"], both
try:
    client.containers.run("busybox", "sh -c 'exit 7'", remove=True)
    raise AssertionError("exit code 7 went by")
except ContainerError as error:
    assert error.exit_status == 7

step("events while something runs")
seen = []
stream = client.events(decode=True, filters={"type": "container"})
reader = threading.Thread(target=lambda: [seen.append(event["Action"]) for event in stream], daemon=True)
reader.start()
time.sleep(0.2)

step("a container's life")
box = client.containers.run(
    "busybox", ["sh", "-c", "echo started; trap 'exit 0' TERM; while :; do sleep 0.1; done"],
    detach=True, name="py-box", labels={"who": "docker-py"}, environment={"A": "1"}, mem_limit="64m",
)
box.reload()
assert box.status == "running" and box.name == "py-box" and box.labels == {"who": "docker-py"}
assert "A=1" in box.attrs["Config"]["Env"] and box.attrs["HostConfig"]["Memory"] == 64 << 20
assert [found.id for found in client.containers.list(filters={"label": "who=docker-py"})] == [box.id]
assert client.containers.get("py-box").short_id == box.short_id

step("logs")
for _ in range(100):
    if box.logs():
        break
    time.sleep(0.05)
assert box.logs() == b"started\n"
assert box.logs(timestamps=True, tail=1).endswith(b"Z started\n")
follower = box.logs(stream=True, follow=True)
assert next(iter(follower)) == b"started\n"

step("exec")
code, output = box.exec_run("sh -c 'echo $B; exit 3'", environment={"B": "2"})
assert (code, output) == (3, b"2\n"), (code, output)
code, (out, err) = box.exec_run("sh -c 'echo o; echo e >&2'", demux=True)
assert (code, out, err) == (0, b"o\n", b"e\n")
code, output = box.exec_run(["sh", "-c", "test -t 1 && echo terminal"], tty=True)
assert (code, output) == (0, b"terminal\r\n"), output
_, sock = box.exec_run("cat", stdin=True, socket=True)
raw = getattr(sock, "_sock", sock)
raw.sendall(b"through stdin\n")
raw.shutdown(1)
received = b""
while True:
    piece = raw.recv(4096)
    if not piece:
        break
    received += piece
assert received == b"\x01\0\0\0\0\0\0\x0ethrough stdin\n", received
raw.close()

step("archives")
data = io.BytesIO()
with tarfile.open(fileobj=data, mode="w") as tar:
    entry = tarfile.TarInfo("dir/file")
    entry.size = 5
    entry.mode = 0o640
    tar.addfile(entry, io.BytesIO(b"bytes"))
assert box.put_archive("/tmp", data.getvalue())
assert box.exec_run("cat /tmp/dir/file").output == b"bytes"
chunks, stat = box.get_archive("/tmp/dir")
assert stat["name"] == "dir"
with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as tar:
    assert tar.extractfile("dir/file").read() == b"bytes"
    assert tar.getmember("dir/file").mode == 0o640
expect(NotFound, 404, lambda: box.get_archive("/nowhere"))

step("diff, top, stats, update, rename, pause")
assert {"Path": "/tmp/dir/file", "Kind": 1} in box.diff()
assert box.top()["Titles"] and len(box.top()["Processes"]) >= 1
stats = box.stats(stream=False)
assert stats["memory_stats"]["limit"] == 64 << 20 and stats["pids_stats"]["current"] >= 1
assert next(box.stats(stream=True, decode=True))["name"] == "/py-box"
box.update(mem_limit="96m", memswap_limit="192m")
box.reload()
assert box.attrs["HostConfig"]["Memory"] == 96 << 20
box.rename("py-renamed")
assert client.containers.get("py-renamed").id == box.id
box.pause()
box.reload()
assert box.status == "paused"
box.unpause()

step("commit, tag, history, save, load, remove")
image = box.commit("py-committed", "v1", message="by docker-py", changes="CMD cat /tmp/dir/file")
assert client.containers.run("py-committed:v1", remove=True) == b"bytes"
assert image.tag("py-tagged", "v2")
assert image.history()[0]["Comment"] == "by docker-py"
saved = b"".join(client.images.get("py-tagged:v2").save(named="py-tagged:v2"))
client.images.remove("py-committed:v1")
client.images.remove("py-tagged:v2")
try:
    client.images.get("py-tagged:v2")
    raise AssertionError("the image is still there")
except ImageNotFound:
    pass
assert client.images.load(saved)[0].tags == ["py-tagged:v2"]
client.images.remove("py-tagged:v2")

step("stop and wait")
waited = []
waiter = threading.Thread(target=lambda: waited.append(box.wait()))
waiter.start()
time.sleep(0.1)
box.stop(timeout=5)
waiter.join(10)
assert waited and waited[0]["StatusCode"] == 0, waited
box.start()
box.kill()
assert box.wait()["StatusCode"] == 137
box.remove()
expect(NotFound, 404, lambda: client.containers.get(box.id))

step("networks")
network = client.networks.create("py-net", driver="bridge", labels={"who": "docker-py"})
server = client.containers.run("busybox", "sleep 100", detach=True, name="py-server", network="py-net")
pong = client.containers.run("busybox", "busybox ping -c 1 -W 5 py-server", network="py-net", remove=True)
assert b"1 packets received" in pong
network.reload()
assert [found.name for found in network.containers] == ["py-server"]
network.disconnect(server)
network.connect(server, aliases=["other"])
server.reload()
assert "other" in server.attrs["NetworkSettings"]["Networks"]["py-net"]["Aliases"]
expect(APIError, 403, network.remove)
server.remove(force=True)
network.remove()

step("volumes")
volume = client.volumes.create("py-volume", labels={"who": "docker-py"})
client.containers.run("busybox", "sh -c 'echo kept > /v/f'", volumes={"py-volume": {"bind": "/v", "mode": "rw"}}, remove=True)
assert client.containers.run("busybox", "cat /v/f", volumes={"py-volume": {"bind": "/v", "mode": "ro"}}, remove=True) == b"kept\n"
assert [found.name for found in client.volumes.list(filters={"label": "who=docker-py"})] == ["py-volume"]
volume.remove()

step("attach")
made = base.create_container("busybox", "cat", stdin_open=True, tty=False, host_config=base.create_host_config())
attached = base.attach_socket(made["Id"], params={"stdin": 1, "stdout": 1, "stream": 1})
raw = getattr(attached, "_sock", attached)
base.start(made["Id"])
raw.sendall(b"to cat\n")
header = raw.recv(8)
assert header == b"\x01\0\0\0\0\0\0\x07", header
assert raw.recv(100) == b"to cat\n"
raw.close()
base.remove_container(made["Id"], force=True)

step("refusals")
message = expect(APIError, 409, lambda: [client.containers.create("busybox", name="py-twice") for _ in range(2)])
assert 'is already in use by container' in message
client.containers.get("py-twice").remove()
expect(ImageNotFound, 404, lambda: client.containers.create("no-such-image"))
expect(APIError, 400, lambda: client.containers.create("busybox", name="-bad"))

step("disk usage and prune")
client.containers.run("busybox", "true", detach=True, name="py-old").wait()
assert client.df()["Images"]
assert client.containers.prune()["ContainersDeleted"]
assert client.networks.prune() is not None and client.volumes.prune() is not None

for wanted in ["create", "start", "die", "stop", "kill", "pause", "unpause", "rename", "update", "commit", "destroy"]:
    assert wanted in seen, (wanted, seen)
assert any(action.startswith("exec_create: ") for action in seen)
stream.close()
print("done")
