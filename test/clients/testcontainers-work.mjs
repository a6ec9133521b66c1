// What a test suite does with Testcontainers: containers with ports, files, waits, networks, and a reaper that removes what
// is left when the suite is gone. DOCKER_HOST names the engine, RYUK_CONTAINER_IMAGE the reaper's image; busybox is there.
import assert from 'node:assert/strict';
import { GenericContainer, Network, Wait } from 'testcontainers';

const step = (name) => console.log(`step ${name}`);

step('a web server: files copied in, a free port, a wait for HTTP');
const logged = [];
const web = await new GenericContainer('busybox')
  .withCommand(['sh', '-c', 'echo serving; exec busybox httpd -f -p 8000 -h /www'])
  .withCopyContentToContainer([{ content: 'hello from a container', target: '/www/index.html' }])
  .withExposedPorts(8000)
  .withLogConsumer((stream) => stream.on('data', (data) => logged.push(String(data))))
  .withWaitStrategy(Wait.forHttp('/', 8000))
  .start();
const url = `http://${web.getHost()}:${web.getMappedPort(8000)}`;
assert.equal(await (await fetch(url)).text(), 'hello from a container');

step('exec, files, logs, restart');
assert.deepEqual(await web.exec(['cat', '/www/index.html']), {
  output: 'hello from a container', stdout: 'hello from a container', stderr: '', exitCode: 0,
});
await web.copyContentToContainer([{ content: 'changed', target: '/www/index.html' }]);
assert.equal(await (await fetch(url)).text(), 'changed');
assert.match(logged.join(''), /serving/);
await web.restart();
assert.equal(await (await fetch(`http://${web.getHost()}:${web.getMappedPort(8000)}`)).text(), 'changed');

step('a network, aliases, a health check');
const network = await new Network().start();
const db = await new GenericContainer('busybox')
  .withNetwork(network).withNetworkAliases('db')
  .withCommand(['sh', '-c', 'sleep 1; touch /ready; sleep 1000'])
  .withHealthCheck({ test: ['CMD-SHELL', 'test -e /ready'], interval: 200, timeout: 1000, retries: 50, startPeriod: 0 })
  .withWaitStrategy(Wait.forHealthCheck())
  .start();
const app = await new GenericContainer('busybox')
  .withNetwork(network)
  .withCommand(['sh', '-c', 'busybox ping -c 1 db && echo reached; sleep 1000'])
  .withWaitStrategy(Wait.forLogMessage(/reached/))
  .start();
assert.equal((await app.exec(['busybox', 'nslookup', 'db'])).exitCode, 0);

step('environment, labels, tmpfs, a user, a one-shot');
const once = await new GenericContainer('busybox')
  .withEnvironment({ COLOUR: 'blue' }).withLabels({ kind: 'once' }).withTmpFs({ '/scratch': 'rw,size=1m' }).withUser('1000:1000')
  .withCommand(['sh', '-c', 'echo $COLOUR $(id -u) && test -w /'])
  .withWaitStrategy(Wait.forLogMessage(/blue 1000/))
  .start();
await once.stop();

await web.stop();
await app.stop();
assert.ok(db.getId());
// db and the network stay: the reaper's work
console.log('done');
process.exit(0);
