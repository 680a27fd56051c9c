// Aliyun: device lamp01 of product a1NightLamp, for ESP8266 or ESP32 with the library PubSubClient.
// Aliyun：产品 a1NightLamp 的设备 lamp01，用于 ESP8266 或 ESP32，需要安装 PubSubClient 库。
//
// Change 需要修改:
//   WIFI_SSID, WIFI_PASSWORD   your Wi-Fi 你的无线网络
//   HOST                       where Matou is 码头的地址
//   read_…                     your sensors 你的传感器
//   set_…                      what the cloud may switch 云端可以控制的部件
// The password does not expire. 密码长期有效。
// Position: not reported here 这里没有上报

#if defined(ESP8266)
#include <ESP8266WiFi.h>
#else
#include <WiFi.h>
#endif
#include <PubSubClient.h>

static const char WIFI_SSID[] = "WIFI_SSID";
static const char WIFI_PASSWORD[] = "WIFI_PASSWORD";
static const char HOST[] = "192.168.1.10";
static const uint16_t PORT = 1883;

static const char CLIENT_ID[] = "a1NightLamp.lamp01|securemode=3,signmethod=hmacsha256|";
static const char USERNAME[] = "lamp01&a1NightLamp";
static const char PASSWORD[] = "53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f53e2bb1a2c2e2c3b0e6b8d1c0d8b7c0f";

static const char POST_TOPIC[] = "/sys/a1NightLamp/lamp01/thing/event/property/post";
static const char SET_TOPIC[] = "/sys/a1NightLamp/lamp01/thing/service/property/set";
static const char SET_REPLY_TOPIC[] = "/sys/a1NightLamp/lamp01/thing/service/property/set_reply";

static const unsigned long REPORT_EVERY = 10000; // milliseconds 毫秒

WiFiClient network;
PubSubClient mqtt(network);
unsigned long reported = 0;
bool first = true;

// CurrentTemperature 当前温度 (°C)
static double read_currenttemperature() { return 21.5; }

// NightLightSwitch 夜灯开关
static bool read_nightlightswitch() { return 1; }

// light:Level level
static long read_light_level() { return 4; }

// Mode mode
static long read_mode() { return 3; }

// Note a note * / of the // person
static const char *read_note() { return "ok"; }

static void set_nightlightswitch(const String &value) { Serial.println("NightLightSwitch = " + value); }

static void set_light_level(const String &value) { Serial.println("light:Level = " + value); }

static void set_target(const String &value) { Serial.println("Target = " + value); }

// report says what the sensors say. 上报传感器的值。
static void report() {
  String s = F("{\"id\":\"1\",\"version\":\"1.0\",\"params\":{");
  s += F("\"CurrentTemperature\":");
  s += String(read_currenttemperature(), 1);
  s += F(",");
  s += F("\"NightLightSwitch\":");
  s += read_nightlightswitch() ? F("1") : F("0");
  s += F(",");
  s += F("\"light:Level\":");
  s += String(read_light_level());
  s += F(",");
  s += F("\"Mode\":");
  s += String(read_mode());
  s += F(",");
  s += F("\"Note\":");
  s += F("\"");
  s += read_note();
  s += F("\"");
  s += F("");
  s += F("},\"method\":\"thing.event.property.post\"}");
  mqtt.publish(POST_TOPIC, s.c_str());
}

// member finds "name":value and returns the value without quotation marks.
// 取出 "name":value 中的 value，去掉引号。
static String member(const String &json, const char *name) {
  int at = json.indexOf(String("\"") + name + "\":");
  if (at < 0) return "";
  at = json.indexOf(':', at) + 1;
  while (at < (int)json.length() && json[at] == ' ') at++;
  if (at < (int)json.length() && json[at] == '"') {
    int end = json.indexOf('"', at + 1);
    return end < 0 ? String("") : json.substring(at + 1, end);
  }
  int end = at;
  while (end < (int)json.length() && json[end] != ',' && json[end] != '}') end++;
  return json.substring(at, end);
}

// heard takes what the cloud sends. 处理云端下发的消息。
static void heard(char *topic, uint8_t *payload, unsigned int length) {
  String json;
  json.reserve(length);
  for (unsigned int i = 0; i < length; i++) json += (char)payload[i];
  Serial.println(String(topic) + ": " + json);
  if (strcmp(topic, SET_TOPIC) != 0) return;
  if (json.indexOf("\"NightLightSwitch\":") >= 0) set_nightlightswitch(member(json, "NightLightSwitch"));
  if (json.indexOf("\"light:Level\":") >= 0) set_light_level(member(json, "light:Level"));
  if (json.indexOf("\"Target\":") >= 0) set_target(member(json, "Target"));
  String reply = String(F("{\"id\":\"")) + member(json, "id") + F("\",\"code\":200,\"data\":{}}");
  mqtt.publish(SET_REPLY_TOPIC, reply.c_str());
}

void setup() {
  Serial.begin(115200);
  WiFi.mode(WIFI_STA);
  WiFi.begin(WIFI_SSID, WIFI_PASSWORD);
  while (WiFi.status() != WL_CONNECTED) delay(500);
  mqtt.setServer(HOST, PORT);
  mqtt.setKeepAlive(60);
  mqtt.setBufferSize(2048); // the usual 256 bytes are too few 默认 256 字节不够
  mqtt.setCallback(heard);
}

void loop() {
  if (!mqtt.connected()) {
    if (!mqtt.connect(CLIENT_ID, USERNAME, PASSWORD)) {
      Serial.println(String("refused, state 登录失败 ") + mqtt.state());
      delay(5000);
      return;
    }
    mqtt.subscribe(SET_TOPIC);
    first = true;
  }
  mqtt.loop();
  if (first || millis() - reported >= REPORT_EVERY) {
    first = false;
    reported = millis();
    report();
  }
}
