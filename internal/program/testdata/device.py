#!/usr/bin/env python3
# Aliyun: device lamp01 of product a1NightLamp, for Python with paho-mqtt (pip install paho-mqtt).
# Aliyun：产品 a1NightLamp 的设备 lamp01，用于 Python（pip install paho-mqtt）。
#
# Change 需要修改:
#   HOST     where Matou is 码头的地址
#   read()   your sensors 你的传感器
#   apply()  what the cloud may switch 云端可以控制的部件
# The password does not expire. 密码长期有效。
# Position: not reported here 这里没有上报
import json
import time

import paho.mqtt.client as mqtt

HOST = "192.168.1.10"
PORT = 1883

CLIENT_ID = "a1NightLamp.lamp01|securemode=3,signmethod=hmacsha256|"
USERNAME = "lamp01&a1NightLamp"
PASSWORD = "53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f"

POST_TOPIC = "/sys/a1NightLamp/lamp01/thing/event/property/post"
SET_TOPIC = "/sys/a1NightLamp/lamp01/thing/service/property/set"
SET_REPLY_TOPIC = "/sys/a1NightLamp/lamp01/thing/service/property/set_reply"

REPORT_EVERY = 10  # seconds 秒


def read():
    """What the sensors say. 传感器的值。"""
    return {
        "CurrentTemperature": 21.5,  # 当前温度 °C
        "NightLightSwitch": 1,  # 夜灯开关 
        "light:Level": 4,  # level 
        "Mode": 3,  # mode 
        "Note": "ok",  # a note * / of the // person 
    }


def apply(values):
    """What the cloud wants. 云端要设置的值。"""
    print("apply", values)


def report(client):
    values = read()
    message = {"id": str(int(time.time())), "version": "1.0", "params": values, "method": "thing.event.property.post"}
    client.publish(POST_TOPIC, json.dumps(message), qos=1)


def connected(client, userdata, flags, code):
    if code != 0:
        print("refused 登录失败:", mqtt.connack_string(code))
        return
    print("connected 已连接")
    client.subscribe(SET_TOPIC)


def heard(client, userdata, m):
    print(m.topic, m.payload.decode())
    if m.topic != SET_TOPIC:
        return
    message = json.loads(m.payload)
    apply(message["params"])
    reply = {"id": message["id"], "code": 200, "data": {}}
    client.publish(SET_REPLY_TOPIC, json.dumps(reply))


if hasattr(mqtt, "CallbackAPIVersion"):  # paho-mqtt 2
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION1, client_id=CLIENT_ID)
else:
    client = mqtt.Client(client_id=CLIENT_ID)
client.username_pw_set(USERNAME, PASSWORD)
client.on_connect = connected
client.on_message = heard
client.connect(HOST, PORT, keepalive=60)
client.loop_start()
while True:
    if client.is_connected():
        report(client)
        time.sleep(REPORT_EVERY)
    else:
        time.sleep(0.2)
