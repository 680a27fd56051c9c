# Aliyun: device lamp01 of product a1NightLamp, for MicroPython with umqtt.simple.
# Aliyun：产品 a1NightLamp 的设备 lamp01，用于 MicroPython（umqtt.simple）。
#
# Change 需要修改:
#   WIFI_SSID, WIFI_PASSWORD   your Wi-Fi 你的无线网络
#   HOST                       where Matou is 码头的地址
#   read()                     your sensors 你的传感器
#   apply()                    what the cloud may switch 云端可以控制的部件
# The password does not expire. 密码长期有效。
# Position: not reported here 这里没有上报
import json
import time

import network
from umqtt.simple import MQTTClient

WIFI_SSID = "WIFI_SSID"
WIFI_PASSWORD = "WIFI_PASSWORD"
HOST = "192.168.1.10"
PORT = 1883

CLIENT_ID = "a1NightLamp.lamp01|securemode=3,signmethod=hmacsha256|"
USERNAME = "lamp01&a1NightLamp"
PASSWORD = "53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f"

POST_TOPIC = "/sys/a1NightLamp/lamp01/thing/event/property/post"
SET_TOPIC = "/sys/a1NightLamp/lamp01/thing/service/property/set"
SET_REPLY_TOPIC = "/sys/a1NightLamp/lamp01/thing/service/property/set_reply"

REPORT_EVERY = 10  # seconds 秒
KEEP_ALIVE = 60  # seconds 秒


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


def report():
    values = read()
    message = {"id": "1", "version": "1.0", "params": values, "method": "thing.event.property.post"}
    client.publish(POST_TOPIC.encode(), json.dumps(message).encode())


def heard(topic, payload):
    print(topic, payload)
    if topic != SET_TOPIC.encode():
        return
    message = json.loads(payload)
    apply(message["params"])
    reply = {"id": message["id"], "code": 200, "data": {}}
    client.publish(SET_REPLY_TOPIC.encode(), json.dumps(reply).encode())


wifi = network.WLAN(network.STA_IF)
wifi.active(True)
wifi.connect(WIFI_SSID, WIFI_PASSWORD)
while not wifi.isconnected():
    time.sleep(0.5)

client = MQTTClient(CLIENT_ID, HOST, port=PORT, user=USERNAME, password=PASSWORD, keepalive=KEEP_ALIVE)
client.set_callback(heard)

while True:
    try:
        client.connect()
        client.subscribe(SET_TOPIC.encode())
        print("connected 已连接")
        left = 0  # until the next report, tenths of a second 距下次上报，十分之一秒
        while True:
            if left <= 0:
                report()
                client.ping()
                left = REPORT_EVERY * 10
            client.check_msg()
            time.sleep(0.1)
            left -= 1
    except OSError as e:
        print("connection lost 连接断开", e)
        time.sleep(5)
