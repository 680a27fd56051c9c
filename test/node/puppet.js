// A device whose owner is the test: one line of JSON comes in for each thing to
// do, one goes out for each thing that happened. All that is said to Matou is
// said by the vendor's SDK that SDK names; this file only passes it on.
const readline = require('readline');
const iot = require(process.env.SDK);

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const things = {};

// watch tells all that a device, gateway or sub-device of the SDK tells.
function watch(name, thing) {
  things[name] = thing;
  thing.on('connect', () => say({ from: name, heard: 'connect' }));
  thing.on('error', (e) => say({ from: name, heard: 'error', message: `${e.message || JSON.stringify(e)}` }));
  if (thing.onProps) thing.onProps((m) => say({ from: name, heard: 'props', message: m }));
  if (thing.onConfig) thing.onConfig((m) => say({ from: name, heard: 'config', message: m }));
  thing.onShadow((m) => say({ from: name, heard: 'shadow', message: m }));
  thing.on('message', (topic, payload) => say({ from: name, heard: 'message', topic, payload: payload.toString('hex') }));
}

const acts = {
  // make a device or gateway, of the SDK's kind `kind`
  make({ name, kind, config }) { watch(name, iot[kind](config)); },
  // call a method of the SDK; its callback says what came back
  call({ name, method, args }) {
    things[name][method](...args, (m) => say({ from: name, reply: method, message: m }));
  },
  // log a sub-device in through its gateway
  login({ name, config, as }) {
    const sub = things[name].login(config, (m) => say({ from: as, reply: 'login', message: m }));
    watch(as, sub);
  },
  // serve a service: the answer goes `how`, async or sync
  serve({ name, service, data, how }) {
    things[name].onService(service, (m, reply) => {
      say({ from: name, heard: 'service', message: m });
      if (reply) reply({ id: m.id, code: 200, data }, how);
    });
    say({ from: name, reply: 'serve' });
  },
  // publish bytes on any topic, given in hexadecimal
  publish({ name, topic, payload, qos }) {
    things[name].publish(topic, Buffer.from(payload, 'hex'), { qos: qos || 0 }, (e) => say({ from: name, reply: 'publish', message: { error: e ? e.message : '' } }));
  },
  subscribe({ name, topic }) {
    things[name].subscribe(topic, { qos: 1 }, (e, granted) => say({ from: name, reply: 'subscribe', message: { error: e ? e.message : '', granted } }));
  },
  end({ name }) { things[name].end(false, () => say({ from: name, reply: 'end' })); },
};

readline.createInterface({ input: process.stdin })
  .on('line', (line) => { const order = JSON.parse(line); acts[order.act](order); })
  .on('close', () => process.exit(0));
