// Plays the night light with MQTT.js over WebSocket, as a browser would.
const mqtt = require('mqtt');
const { HOST, PORT, PRODUCT_KEY, DEVICE_NAME, CLIENT_ID, MQTT_USERNAME, MQTT_PASSWORD } = process.env;

const fail = (what) => { console.error(what); process.exit(1); };
setTimeout(() => fail('too late'), 35000).unref();

const base = `/sys/${PRODUCT_KEY}/${DEVICE_NAME}/thing`;
const client = mqtt.connect(`ws://${HOST}:${PORT}/mqtt`, {
  clientId: CLIENT_ID, username: MQTT_USERNAME, password: MQTT_PASSWORD, reconnectPeriod: 0,
});
client.on('error', (e) => fail(`error ${e}`));
client.on('connect', () => {
  client.subscribe(`${base}/#`, (err) => {
    if (err) fail(err);
    client.publish(`${base}/event/property/post`, '{"id":"1","params":{"CurrentTemperature":23.5}}', { qos: 1 }, (e) => { if (e) fail(e); });
  });
});
client.on('message', (topic, payload) => {
  const message = JSON.parse(payload);
  if (topic === `${base}/event/property/post_reply`) {
    if (message.code !== 200) fail(`reply ${payload}`);
    console.log('READY');
  } else if (topic === `${base}/service/property/set`) {
    client.publish(`${base}/service/property/set_reply`, JSON.stringify({ id: message.id, code: 200, data: {} }), { qos: 1 },
      () => client.end(false, {}, () => process.exit(0)));
  } else {
    fail(`unexpected ${topic}`);
  }
});
