/* Aliyun: device lamp01 of product a1NightLamp, for an STM32 with HAL and an ESP8266 with AT firmware on a UART.
 * Aliyun：产品 a1NightLamp 的设备 lamp01，用于 STM32 HAL，串口接带 AT 固件的 ESP8266。
 *
 * Change 需要修改:
 *   MODULE                     the UART of the module, 115200 8N1, its interrupt enabled 接模块的串口，打开中断
 *   WIFI_SSID, WIFI_PASSWORD   your Wi-Fi 你的无线网络
 *   HOST                       where Matou is 码头的地址
 *   read_...                   your sensors 你的传感器
 *   set_...                    what the cloud may switch 云端可以控制的部件
 * The password does not expire. 密码长期有效。
 * Position: not reported here 这里没有上报
 *
 * In main.c: 在 main.c 中:
 *   void matou_start(void);  once, behind the initialization of the UART 串口初始化之后调用一次
 *   void matou_work(void);   again and again, in the main loop 在主循环里反复调用
 */
#include "main.h"

#include <stdlib.h>
#include <string.h>

extern UART_HandleTypeDef huart1;
#define MODULE (&huart1)

#define WIFI_SSID "WIFI_SSID"
#define WIFI_PASSWORD "WIFI_PASSWORD"
#define HOST "192.168.1.10"
#define PORT "1883"
#define REPORT_EVERY 10000u /* milliseconds 毫秒 */
#define PING_EVERY 30000u

static const char POST_TOPIC[] = "/sys/a1NightLamp/lamp01/thing/event/property/post";
static const char SET_TOPIC[] = "/sys/a1NightLamp/lamp01/thing/service/property/set";
static const char SET_REPLY_TOPIC[] = "/sys/a1NightLamp/lamp01/thing/service/property/set_reply";

/* CONNECT MQTT 3.1.1 as a1NightLamp.lamp01|securemode=3,signmethod=hmacsha256|, user lamp01&a1NightLamp, keep alive 60 s */
static const uint8_t mqtt_connect[155] = {
    0x10,                                           /* packet type and flags: CONNECT, flags 0000 */
    0x98, 0x01,                                     /* remaining length: 152 bytes to follow */
    0x00, 0x04,                                     /* protocol name length: 4 bytes */
    0x4d, 0x51, 0x54, 0x54,                         /* protocol name: MQTT */
    0x04,                                           /* protocol level: MQTT 3.1.1 */
    0xc2,                                           /* connect flags: user name, password, clean session */
    0x00, 0x3c,                                     /* keep alive: 60 s */
    0x00, 0x36,                                     /* client identifier length: 54 bytes */
    0x61, 0x31, 0x4e, 0x69, 0x67, 0x68, 0x74, 0x4c, /* client identifier: a1NightL */
    0x61, 0x6d, 0x70, 0x2e, 0x6c, 0x61, 0x6d, 0x70, /* amp.lamp */
    0x30, 0x31, 0x7c, 0x73, 0x65, 0x63, 0x75, 0x72, /* 01|secur */
    0x65, 0x6d, 0x6f, 0x64, 0x65, 0x3d, 0x33, 0x2c, /* emode=3, */
    0x73, 0x69, 0x67, 0x6e, 0x6d, 0x65, 0x74, 0x68, /* signmeth */
    0x6f, 0x64, 0x3d, 0x68, 0x6d, 0x61, 0x63, 0x73, /* od=hmacs */
    0x68, 0x61, 0x32, 0x35, 0x36, 0x7c,             /* ha256| */
    0x00, 0x12,                                     /* user name length: 18 bytes */
    0x6c, 0x61, 0x6d, 0x70, 0x30, 0x31, 0x26, 0x61, /* user name: lamp01&a */
    0x31, 0x4e, 0x69, 0x67, 0x68, 0x74, 0x4c, 0x61, /* 1NightLa */
    0x6d, 0x70,                                     /* mp */
    0x00, 0x40,                                     /* password length: 64 bytes */
    0x35, 0x33, 0x65, 0x32, 0x62, 0x62, 0x31, 0x61, /* password: 53e2bb1a */
    0x32, 0x63, 0x32, 0x65, 0x32, 0x63, 0x33, 0x62, /* 2c2e2c3b */
    0x30, 0x65, 0x36, 0x62, 0x38, 0x64, 0x31, 0x63, /* 0e6b8d1c */
    0x30, 0x64, 0x38, 0x62, 0x37, 0x63, 0x30, 0x66, /* 0d8b7c0f */
    0x35, 0x33, 0x65, 0x32, 0x62, 0x62, 0x31, 0x61, /* 53e2bb1a */
    0x32, 0x63, 0x32, 0x65, 0x32, 0x63, 0x33, 0x62, /* 2c2e2c3b */
    0x30, 0x65, 0x36, 0x62, 0x38, 0x64, 0x31, 0x63, /* 0e6b8d1c */
    0x30, 0x64, 0x38, 0x62, 0x37, 0x63, 0x30, 0x66, /* 0d8b7c0f */
};

/* SUBSCRIBE /sys/a1NightLamp/lamp01/thing/service/property/set, QoS 0 */
static const uint8_t mqtt_subscribe[57] = {
    0x82,                                           /* packet type and flags: SUBSCRIBE, flags 0010 */
    0x37,                                           /* remaining length: 55 bytes to follow */
    0x00, 0x01,                                     /* packet identifier: 1 */
    0x00, 0x32,                                     /* topic filter length: 50 bytes */
    0x2f, 0x73, 0x79, 0x73, 0x2f, 0x61, 0x31, 0x4e, /* topic filter: /sys/a1N */
    0x69, 0x67, 0x68, 0x74, 0x4c, 0x61, 0x6d, 0x70, /* ightLamp */
    0x2f, 0x6c, 0x61, 0x6d, 0x70, 0x30, 0x31, 0x2f, /* /lamp01/ */
    0x74, 0x68, 0x69, 0x6e, 0x67, 0x2f, 0x73, 0x65, /* thing/se */
    0x72, 0x76, 0x69, 0x63, 0x65, 0x2f, 0x70, 0x72, /* rvice/pr */
    0x6f, 0x70, 0x65, 0x72, 0x74, 0x79, 0x2f, 0x73, /* operty/s */
    0x65, 0x74,                                     /* et */
    0x00,                                           /* subscription options: QoS 0 */
};

/* PINGREQ */
static const uint8_t mqtt_pingreq[2] = {
    0xc0,                                           /* packet type and flags: PINGREQ, flags 0000 */
    0x00,                                           /* remaining length: 0 bytes to follow */
};

/* CurrentTemperature 当前温度 (°C): without the point, 1 of its digits stand behind it 不带小数点，其中 1 位是小数 */
static long read_currenttemperature(void) { return 215; }

/* NightLightSwitch 夜灯开关 */
static long read_nightlightswitch(void) { return 1; }

/* light:Level level */
static long read_light_level(void) { return 4; }

/* Mode mode */
static long read_mode(void) { return 3; }

/* Note a note * / of the // person */
static const char *read_note(void) { return "ok"; }

static void set_nightlightswitch(const char *value) { (void)value; /* "1", "21.5", ... */ }

static void set_light_level(const char *value) { (void)value; /* "1", "21.5", ... */ }

static void set_target(const char *value) { (void)value; /* "1", "21.5", ... */ }

/* ---- the module 模块 ---- */

static volatile uint8_t ring[1024]; /* what came in, and waits 收到还没处理的字节 */
static volatile uint16_t ring_in, ring_out;
static uint8_t incoming_byte;

void HAL_UART_RxCpltCallback(UART_HandleTypeDef *uart)
{
    if (uart != MODULE) return;
    uint16_t next = (uint16_t)((ring_in + 1) % sizeof ring);
    if (next != ring_out) { /* full: the byte is lost, and MQTT will notice 满了就丢 */
        ring[ring_in] = incoming_byte;
        ring_in = next;
    }
    HAL_UART_Receive_IT(MODULE, &incoming_byte, 1);
}

static char line[160];       /* the line of the module so far 模块当前行 */
static uint16_t line_length;
static uint16_t data_due;    /* bytes of +IPD that are to come +IPD 还差的字节 */
static uint8_t packet[1024]; /* MQTT from the broker 收到的 MQTT */
static uint16_t packet_length;
static uint8_t got_prompt, got_ok, got_error, got_sent, got_closed, connected;

static void handle_packets(void);

static void take(uint8_t b)
{
    if (data_due > 0) {
        if (packet_length < sizeof packet) packet[packet_length++] = b;
        if (--data_due == 0) line_length = 0;
        return;
    }
    if (b == '\r' || b == '\n') {
        line[line_length] = 0;
        if (strcmp(line, "OK") == 0) got_ok = 1;
        else if (strcmp(line, "ERROR") == 0 || strcmp(line, "FAIL") == 0) got_error = 1;
        else if (strcmp(line, "SEND OK") == 0) got_sent = 1;
        else if (strcmp(line, "SEND FAIL") == 0) got_error = 1;
        else if (strcmp(line, "CLOSED") == 0) got_closed = 1;
        line_length = 0;
        return;
    }
    if (line_length < sizeof line - 1) line[line_length++] = (char)b;
    if (line_length == 1 && b == '>') {
        got_prompt = 1;
        line_length = 0;
    } else if (b == ':' && line_length > 5 && memcmp(line, "+IPD,", 5) == 0) {
        line[line_length] = 0;
        data_due = (uint16_t)atoi(line + 5);
        line_length = 0;
    }
}

static void listen_module(void)
{
    while (ring_out != ring_in) {
        uint8_t b = ring[ring_out];
        ring_out = (uint16_t)((ring_out + 1) % sizeof ring);
        take(b);
    }
}

/* wait_for waits until one of two things has come 等待其中之一 */
static int wait_for(volatile uint8_t *good, uint32_t milliseconds)
{
    uint32_t begin = HAL_GetTick();
    while (HAL_GetTick() - begin < milliseconds) {
        listen_module();
        if (*good) return 1;
        if (got_error || got_closed) return 0;
    }
    return 0;
}

static void say(const char *text) { HAL_UART_Transmit(MODULE, (uint8_t *)text, (uint16_t)strlen(text), 1000); }

static int command(const char *text, uint32_t milliseconds)
{
    got_ok = got_error = 0;
    say(text);
    say("\r\n");
    return wait_for(&got_ok, milliseconds);
}

static char *put(char *p, const char *text)
{
    size_t n = strlen(text);
    memcpy(p, text, n + 1);
    return p + n;
}

/* put_number writes value with its last digits behind a point 写数字，最后几位是小数 */
static char *put_number(char *p, long value, int decimals)
{
    char digits[24];
    int n = 0;
    unsigned long v = value < 0 ? 0ul - (unsigned long)value : (unsigned long)value;
    do {
        digits[n++] = (char)('0' + v % 10);
        v /= 10;
        if (n == decimals) digits[n++] = '.';
    } while (v > 0 || n <= decimals + (decimals > 0));
    if (value < 0) *p++ = '-';
    while (n > 0) *p++ = digits[--n];
    *p = 0;
    return p;
}

/* ---- MQTT ---- */

static int mqtt_send(const uint8_t *bytes, uint16_t n)
{
    char text[32];
    got_prompt = got_ok = got_error = got_sent = 0;
    put(put_number(put(text, "AT+CIPSEND="), n, 0), "\r\n");
    say(text);
    if (!wait_for(&got_prompt, 5000)) return 0;
    HAL_UART_Transmit(MODULE, (uint8_t *)bytes, n, 5000);
    return wait_for(&got_sent, 10000);
}

static int publish(const char *topic, const char *payload)
{
    static uint8_t out[1024];
    uint16_t topic_length = (uint16_t)strlen(topic), payload_length = (uint16_t)strlen(payload);
    uint16_t rest = (uint16_t)(2 + topic_length + payload_length), n = 0, left = rest;
    if (rest > sizeof out - 4) return 0;
    out[n++] = 0x30;
    do { /* the length takes one byte, or two from 128 on 长度从 128 起占两个字节 */
        uint8_t b = (uint8_t)(left % 128);
        left = (uint16_t)(left / 128);
        out[n++] = left > 0 ? (uint8_t)(b | 0x80) : b;
    } while (left > 0);
    out[n++] = (uint8_t)(topic_length >> 8);
    out[n++] = (uint8_t)topic_length;
    memcpy(out + n, topic, topic_length);
    memcpy(out + n + topic_length, payload, payload_length);
    return mqtt_send(out, (uint16_t)(n + topic_length + payload_length));
}

/* member copies the value of "name": out of a JSON text, without quotation marks
 * 从 JSON 中取出 "name": 的值，去掉引号 */
static int member(const char *json, const char *name, char *value, size_t size)
{
    char key[64];
    size_t n = 0;
    if (strlen(name) > sizeof key - 4) return 0;
    put(put(put(key, "\""), name), "\":");
    const char *p = strstr(json, key);
    if (!p) return 0;
    p += strlen(key);
    while (*p == ' ') p++;
    if (*p == '"') {
        p++;
        while (*p && *p != '"' && n < size - 1) value[n++] = *p++;
    } else {
        while (*p && *p != ',' && *p != '}' && n < size - 1) value[n++] = *p++;
    }
    value[n] = 0;
    return 1;
}

static void heard(const char *topic, uint16_t topic_length, const char *payload)
{
    char id[40] = "", reply[128];
    if (topic_length != sizeof SET_TOPIC - 1 || memcmp(topic, SET_TOPIC, topic_length) != 0) return;
    char value[64];
    if (member(payload, "NightLightSwitch", value, sizeof value)) set_nightlightswitch(value);
    if (member(payload, "light:Level", value, sizeof value)) set_light_level(value);
    if (member(payload, "Target", value, sizeof value)) set_target(value);
    member(payload, "id", id, sizeof id);
    put(put(put(reply, "{\"id\":\""), id), "\",\"code\":200,\"data\":{}}");
    publish(SET_REPLY_TOPIC, reply);
}

/* handle_packets takes whole packets off the buffer 处理已收完整的报文 */
static void handle_packets(void)
{
    static uint8_t whole[1025];
    while (packet_length >= 2) {
        uint32_t rest = 0;
        uint16_t head = 1;
        uint8_t shift = 0, b;
        do {
            if (head >= packet_length) return;
            b = packet[head++];
            rest |= (uint32_t)(b & 0x7f) << shift;
            shift += 7;
        } while ((b & 0x80) && head < 5);
        if (head + rest > sizeof packet) { /* too long for us 太长，放弃连接 */
            got_closed = 1;
            return;
        }
        if (packet_length < head + rest) return;
        uint16_t total = (uint16_t)(head + rest);
        memcpy(whole, packet, total);
        whole[total] = 0;
        packet_length = (uint16_t)(packet_length - total);
        memmove(packet, packet + total, packet_length);
        switch (whole[0] >> 4) {
        case 2: /* CONNACK */
            connected = rest == 2 && whole[head + 1] == 0;
            if (!connected) got_closed = 1;
            break;
        case 3: { /* PUBLISH */
            uint16_t n = rest < 2 ? 0 : (uint16_t)(whole[head] << 8 | whole[head + 1]);
            uint16_t skip = (uint16_t)(2 + n + ((whole[0] & 0x06) ? 2 : 0));
            if (rest >= skip) heard((const char *)whole + head + 2, n, (const char *)whole + head + skip);
            break;
        }
        default: /* SUBACK, PINGRESP */
            break;
        }
    }
}

static void report(void)
{
    char payload[768];
    char *p = put(payload, "{\"id\":\"1\",\"version\":\"1.0\",\"params\":{");
    p = put(p, "\"CurrentTemperature\":");
    p = put_number(p, read_currenttemperature(), 1);
    p = put(p, ",");
    p = put(p, "\"NightLightSwitch\":");
    p = put(p, read_nightlightswitch() ? "1" : "0");
    p = put(p, ",");
    p = put(p, "\"light:Level\":");
    p = put_number(p, read_light_level(), 0);
    p = put(p, ",");
    p = put(p, "\"Mode\":");
    p = put_number(p, read_mode(), 0);
    p = put(p, ",");
    p = put(p, "\"Note\":");
    p = put(put(put(p, "\""), read_note()), "\"");
    p = put(p, "");
    put(p, "},\"method\":\"thing.event.property.post\"}");
    publish(POST_TOPIC, payload);
}

/* ---- what main.c calls 供 main.c 调用 ---- */

static uint32_t reported, pinged;

void matou_start(void) { HAL_UART_Receive_IT(MODULE, &incoming_byte, 1); }

/* link_up joins the Wi-Fi and logs in 连接无线网络并登录 */
static int link_up(void)
{
    uint32_t begin;
    connected = got_closed = 0;
    packet_length = data_due = 0;
    command("ATE0", 1000);
    if (!command("AT+CWMODE=1", 1000)) return 0;
    if (!command("AT+CWJAP=\"" WIFI_SSID "\",\"" WIFI_PASSWORD "\"", 20000)) return 0;
    command("AT+CIPCLOSE", 1000); /* an old connection, if there is one 关掉旧连接 */
    got_closed = 0;
    if (!command("AT+CIPMUX=0", 1000)) return 0;
    if (!command("AT+CIPSTART=\"TCP\",\"" HOST "\"," PORT, 20000)) return 0;
    if (!mqtt_send(mqtt_connect, sizeof mqtt_connect)) return 0;
    for (begin = HAL_GetTick(); !connected; ) {
        listen_module();
        handle_packets();
        if (got_closed || HAL_GetTick() - begin > 10000u) return 0;
    }
    if (!mqtt_send(mqtt_subscribe, sizeof mqtt_subscribe)) return 0;
    pinged = HAL_GetTick();
    reported = pinged - REPORT_EVERY;
    return 1;
}

void matou_work(void)
{
    listen_module();
    if (!connected || got_closed) {
        if (!link_up()) {
            connected = 0;
            HAL_Delay(5000);
            return;
        }
    }
    handle_packets();
    if (HAL_GetTick() - reported >= REPORT_EVERY) {
        reported = HAL_GetTick();
        report();
    }
    if (HAL_GetTick() - pinged >= PING_EVERY) {
        pinged = HAL_GetTick();
        mqtt_send(mqtt_pingreq, sizeof mqtt_pingreq);
    }
}
