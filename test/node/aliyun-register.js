// Registers a night light that knows only its ProductSecret, with Alibaba
// Cloud's own device SDK for Node, and logs in with what it was told.
// Everything is as its documentation says; only the addresses are Matou's.
const iot = require('alibabacloud-iot-device-sdk');
const { HOST, PORT, PRODUCT_KEY, DEVICE_NAME, PRODUCT_SECRET } = process.env;

const fail = (what) => { console.error(what); process.exit(1); };
setTimeout(() => fail('too late'), 35000).unref();

iot.register({
  productKey: PRODUCT_KEY,
  productSecret: PRODUCT_SECRET,
  deviceName: DEVICE_NAME,
  registerURL: `https://${HOST}:${PORT}/auth/register/device`,
}, (res) => {
  if (res.code !== 200) fail(`refused ${res.code || res}`);
  const device = iot.device({ ...res.data, brokerUrl: `mqtt://${HOST}:${PORT}` });
  device.on('error', (e) => fail(`error ${e}`));
  device.on('connect', () => {
    device.postProps({ CurrentTemperature: 19.5 }, (reply) => {
      if (reply.code !== 200) fail(`reply ${JSON.stringify(reply)}`);
      device.end(false, {}, () => process.exit(0));
    });
  });
});
