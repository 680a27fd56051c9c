// Aliyun: device lamp01 of product a1NightLamp, for Node.js with MQTT.js (npm install mqtt).
// Aliyun：产品 a1NightLamp 的设备 lamp01，用于 Node.js（npm install mqtt）。
//
// Change 需要修改:
//   HOST     where Matou is 码头的地址
//   read()   your sensors 你的传感器
//   set()    what the cloud may switch 云端可以控制的部件
// The password does not expire. 密码长期有效。
// Position: not reported here 这里没有上报
"use strict";

const mqtt = require("mqtt");

const HOST = "192.168.1.10";
const PORT = 1883;

const POST_TOPIC = "/sys/a1NightLamp/lamp01/thing/event/property/post";
const SET_TOPIC = "/sys/a1NightLamp/lamp01/thing/service/property/set";
const SET_REPLY_TOPIC = "/sys/a1NightLamp/lamp01/thing/service/property/set_reply";

const REPORT_EVERY = 10_000; // milliseconds 毫秒

// What the sensors say. 传感器的值。
function read() {
  return {
    "CurrentTemperature": 21.5, // 当前温度 °C
    "NightLightSwitch": 1, // 夜灯开关 
    "light:Level": 4, // level 
    "Mode": 3, // mode 
    "Note": "ok", // a note * / of the // person 
  };
}

// What the cloud wants. 云端要设置的值。
function set(values) {
  console.log("set", values);
}

const client = mqtt.connect({
  host: HOST,
  port: PORT,
  clientId: "a1NightLamp.lamp01|securemode=3,signmethod=hmacsha256|",
  username: "lamp01&a1NightLamp",
  password: "53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f",
  keepalive: 60,
});

function report() {
  const values = read();
  const message = { id: String(Date.now()), version: "1.0", params: values, method: "thing.event.property.post" };
  client.publish(POST_TOPIC, JSON.stringify(message), { qos: 1 });
}

client.on("connect", () => {
  console.log("connected 已连接");
  client.subscribe(SET_TOPIC, () => report());
});
client.on("error", (e) => console.log("refused 登录失败:", e.message));
setInterval(() => client.connected && report(), REPORT_EVERY);

client.on("message", (topic, payload) => {
  console.log(topic, payload.toString());
  if (topic !== SET_TOPIC) return;
  const message = JSON.parse(payload);
  set(message.params);
  const reply = { id: message.id, code: 200, data: {} };
  client.publish(SET_REPLY_TOPIC, JSON.stringify(reply));
});
