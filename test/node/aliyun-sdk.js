// Plays the night light with Alibaba Cloud's own device SDK for Node.
// Everything is as its documentation says; only brokerUrl is Matou's.
const iot = require('alibabacloud-iot-device-sdk');
const { HOST, PORT, PRODUCT_KEY, DEVICE_NAME, DEVICE_SECRET } = process.env;

const device = iot.device({
  productKey: PRODUCT_KEY,
  deviceName: DEVICE_NAME,
  deviceSecret: DEVICE_SECRET,
  brokerUrl: `mqtt://${HOST}:${PORT}`,
});

const fail = (what) => { console.error(what); process.exit(1); };
setTimeout(() => fail('too late'), 35000).unref();
device.on('error', (e) => fail(`error ${e}`));

device.on('connect', () => {
  device.onProps((set) => {
    if (set.params.NightLightSwitch !== 1) fail(`set ${JSON.stringify(set)}`);
    device.publish(`/sys/${PRODUCT_KEY}/${DEVICE_NAME}/thing/service/property/set_reply`,
      JSON.stringify({ id: set.id, code: 200, data: {} }));
    setTimeout(() => device.end(false, {}, () => process.exit(0)), 200);
  });
  device.postProps({ CurrentTemperature: 23.5 }, (reply) => {
    if (reply.code !== 200 || reply.message !== 'success') fail(`reply ${JSON.stringify(reply)}`);
    console.log('READY');
  });
});
