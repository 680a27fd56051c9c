import type { Schemas } from '../../api/client'
import { bytesOf, disconnect, fromHex, ping, publish, subscribe } from './packets'

// The tutorials that Matou began with, retold for the visitor's own device.

// A Subject is the device for which a lesson is told.
export type Subject = {
  dialect: string
  product: string
  device: string
  secret: string
  logins: Schemas['LoginWithPacket'][]
  sample: { id: string; value: unknown }
  host: string | null // where real modules connect; null: the vendor's host, which is this Matou on the bench
  port: number
}

// A Step is one click: a command with its line end, or bytes behind a prompt.
export type Step = { send: Uint8Array; show: string; packet: boolean; expect: string; en: string; zh: string }

export type Lesson = { id: string; module: 'esp8266' | 'ec20' | 'nt35e'; dialect: 'aliyun' | 'onenet'; en: string; zh: string; steps: (s: Subject) => Step[] }

const line = (text: string, expect: string, en: string, zh: string): Step => ({ send: bytesOf(text + '\r\n'), show: text, packet: false, expect, en, zh })
const raw = (bytes: Uint8Array, show: string, expect: string, en: string, zh: string): Step => ({ send: bytes, show, packet: true, expect, en, zh })

const login = (s: Subject, method: string) => s.logins.find((l) => l.method?.includes(method)) ?? s.logins[0]!
const own = (s: Subject, vendor: string) => s.host ?? vendor
const aliyunHost = (s: Subject) => own(s, `${s.product}.iot-as-mqtt.cn-shanghai.aliyuncs.com`)

function report(s: Subject): { post: string; set: string; json: string } {
  if (s.dialect === 'onenet') {
    const root = `$sys/${s.product}/${s.device}/thing/property`
    return { post: `${root}/post`, set: `${root}/set`, json: JSON.stringify({ id: '123', version: '1.0', params: { [s.sample.id]: { value: s.sample.value } } }) }
  }
  const root = `/sys/${s.product}/${s.device}/thing`
  return {
    post: `${root}/event/property/post`,
    set: `${root}/service/property/set`,
    json: JSON.stringify({ id: '1562283421', version: '1.0.0', params: { [s.sample.id]: s.sample.value }, method: 'thing.event.property.post' }),
  }
}

const wifi = (): Step[] => [
  line('AT', 'OK', 'Is the module there?', '模块是否应答'),
  line('AT+CWMODE=1', 'OK', 'Be a station: a client of a Wi-Fi network', '设为 Station 模式'),
  line('AT+CWJAP="matou","12345678"', 'WIFI GOT IP, OK', 'Join the Wi-Fi. A virtual module finds any name; a real one wants yours', '连接热点。虚拟模块接受任意名称和密码，真实模块请换成自己的'),
  line('AT+CIFSR', '+CIFSR:STAIP', 'Which address did it get?', '查询本机 IP'),
]

// sending is a packet in normal mode: its length first, the bytes behind the
// prompt.
const sending = (bytes: Uint8Array, show: string, expect: string, en: string, zh: string): Step[] => [
  line(`AT+CIPSEND=${bytes.length}`, '>', `${bytes.length} bytes follow`, `接下来发送 ${bytes.length} 字节`),
  raw(bytes, show, expect, en, zh),
]

function espLengths(s: Subject): Step[] {
  const r = report(s)
  const l = login(s, 'sha256')
  return [
    line('AT+RST', 'ready', 'Begin anew', '复位模块'),
    ...wifi(),
    line(`AT+CIPSTART="TCP","${aliyunHost(s)}",${s.port}`, 'CONNECT, OK', 'Open a TCP connection to the cloud', '建立到平台的 TCP 连接'),
    ...sending(fromHex(l.connect), `CONNECT ${l.username}`, '+IPD,4: 20 02 00 00', 'Log in. The password is the HMAC-SHA256 of the parameters', '登录。密码是参数串的 HMAC-SHA256 签名'),
    ...sending(subscribe(10, r.set), `SUBSCRIBE ${r.set}`, '+IPD,5: 90 03 00 0A 00', 'Hear of settings', '订阅属性设置'),
    ...sending(publish(r.post, r.json), `PUBLISH ${r.json}`, 'SEND OK', 'Report a property', '上报属性'),
    ...sending(ping, 'PINGREQ', '+IPD,2: D0 00', 'Keep the connection alive', '心跳'),
  ]
}

function espTransparent(s: Subject): Step[] {
  const r = report(s)
  const l = login(s, 'sha1')
  const post = publish(r.post, r.json)
  const length = post.length - (post[1]! >= 128 ? 3 : 2)
  return [
    line('AT+RST', 'ready', 'Begin anew', '复位模块'),
    ...wifi(),
    line('AT+CIPMUX=0', 'OK', 'One connection only', '单连接模式'),
    line(`AT+CIPSTART="TCP","${aliyunHost(s)}",${s.port}`, 'CONNECT, OK', 'Open a TCP connection to the cloud', '建立到平台的 TCP 连接'),
    line('AT+CIPMODE=1', 'OK', 'Transparent mode: what you type goes out as it is', '进入透传模式'),
    line('AT+CIPSEND', '>', 'From here on all bytes go to the cloud', '开始透传，此后所有字节原样发往平台'),
    raw(fromHex(l.connect), `CONNECT ${l.username}`, '20 02 00 00', 'Log in with HMAC-SHA1, keep-alive 00 64: 100 seconds', '登录，HMAC-SHA1 签名；KeepAlive 为 00 64，即 100 秒'),
    raw(subscribe(10, r.set), `SUBSCRIBE ${r.set}`, '90 03 00 0A 00', 'Hear of settings', '订阅属性设置'),
    raw(
      post, `PUBLISH ${r.json}`, '30 …',
      `Report. The remaining length is ${length}: above 127 it takes two bytes, which is where the 01 comes from`,
      `上报属性。剩余长度为 ${length}，超过 127 要用两个字节表示，多出来的 01 就来自这里`,
    ),
    raw(ping, 'PINGREQ', 'D0 00', 'Keep the connection alive', '心跳'),
    raw(bytesOf('+++'), '+++', '', 'Leave transparent mode; then wait a second', '退出透传，之后等待一秒'),
    line('AT+CIPMODE=0', 'OK', 'Back to normal mode', '恢复普通模式'),
    line('AT+CIPCLOSE', 'CLOSED', 'End the connection', '断开连接'),
  ]
}

function espOneNET(s: Subject): Step[] {
  const r = report(s)
  const l = login(s, 'md5')
  return [
    ...wifi(),
    line(`AT+CIPSTART="TCP","${own(s, 'studio-mqtt.heclouds.com')}",${s.port}`, 'CONNECT, OK', 'Open a TCP connection to OneNET', '连接 OneNET'),
    line('AT+CIPMODE=0', 'OK', 'Normal mode: packets are counted out', '非透传模式'),
    ...sending(fromHex(l.connect), `CONNECT ${s.device}`, '+IPD,4: 20 02 00 00', 'Log in. The password is a token: res, et, method, sign', '登录。密码是由 res、et、method、sign 组成的 token'),
    ...sending(subscribe(1, r.set), `SUBSCRIBE ${r.set}`, '+IPD,5: 90 03 00 01 00', 'Hear of settings', '订阅属性设置'),
    ...sending(publish(r.post, r.json), `PUBLISH ${r.json}`, 'SEND OK', 'Report a property', '上报属性'),
    ...sending(disconnect, 'DISCONNECT', 'CLOSED', 'Say good-bye', '断开 MQTT'),
    line('AT+CIPCLOSE', 'OK / ERROR', 'Close the connection, if the cloud has not', '断开 TCP；平台已断开时返回 ERROR'),
  ]
}

function nt35e(s: Subject): Step[] {
  const r = report(s)
  const topic = `/${s.product}/${s.device}/user/COMMUTEST`
  return [
    line('AT', 'OK', 'Is the module there?', '模块是否应答'),
    line('AT+LMQTTCFG="cloud",0,2,1', 'OK', '2: Aliyun; 1: JSON', '2 表示阿里云，1 表示 JSON'),
    line(`AT+LMQTTCFG="aliauth",0,"${s.product}","${s.device}","${s.secret}"`, 'OK', 'The device\'s triple; the module signs by itself', '填入三元组，由模组自行签名'),
    line(`AT+LMQTTOPEN=0,"${aliyunHost(s)}",${s.port}`, '+LMQTTOPEN: 0,0', 'Open the TCP connection', '建立 TCP 连接'),
    line('AT+LMQTTCONN=0,"NT35E"', '+LMQTTCONN: 0,0,0', 'Log in; user name and password are left out', '登录，用户名和密码不用填'),
    line(`AT+LMQTTSUBUNSUB=0,0,1,"${topic}",1`, '+LMQTTSUBUNSUB: 0,…', 'Subscribe to a custom topic', '订阅自定义 Topic'),
    line(`AT+LMQTTPUB=0,0,0,0,"${topic}",10,"1122334455"`, '+LMQTTPUB: 0,0,0', 'Publish to it, and hear oneself', '向它发布，随后会收到自己的消息'),
    line(`AT+LMQTTPUB=0,0,0,0,"${r.post}",${bytesOf(r.json).length},"${r.json}"`, '+LMQTTPUB: 0,0,0', 'Report a property', '上报属性'),
    line('AT+LMQTTDISC=0', '+LMQTTDISC: 0,0', 'Log out', '断开'),
  ]
}

function ec20(s: Subject): Step[] {
  const r = report(s)
  return [
    line('AT+CGATT?', '+CGATT: 1', 'Attached to the packet network?', '是否附着 GPRS'),
    line('AT+CREG?', '+CREG: 0,1', 'Registered? 1: at home, 2: searching, 5: roaming', '网络注册：1 已注册，2 搜索中，5 漫游'),
    line('AT+CSQ', '+CSQ: …', 'Signal quality', '信号质量'),
    line('AT+QMTCFG="recv/mode",0,0,1', 'OK', 'Messages come with their length', '接收模式：消息带长度'),
    line(`AT+QMTCFG="aliauth",0,"${s.product}","${s.device}","${s.secret}"`, 'OK', 'The device\'s triple; the module signs by itself', '填入三元组，由模组自行签名'),
    line(`AT+QMTOPEN=0,"${own(s, 'iot-as-mqtt.cn-shanghai.aliyuncs.com')}",${s.port}`, '+QMTOPEN: 0,0', 'Open the connection', '打开网络'),
    line(`AT+QMTCONN=0,"${s.device}"`, '+QMTCONN: 0,0,0', 'Log in', '连接 MQTT 服务器'),
    line(`AT+QMTSUB=0,1,"/${s.product}/${s.device}/user/get",0`, '+QMTSUB: 0,1,0,…', 'Subscribe to a custom topic', '订阅自定义 Topic'),
    line(`AT+QMTPUBEX=0,0,0,0,"${r.post}",${bytesOf(r.json).length}`, '>', 'A message: its last number is the length of the text', '发布消息，最后一个参数是正文字节数'),
    raw(bytesOf(r.json), r.json, '+QMTPUBEX: 0,0,0', 'The text; quotation marks may stay', '正文，引号照常保留'),
    line('AT+QMTDISC=0', '+QMTDISC: 0,0', 'Log out', '断开'),
  ]
}

export const lessons: Lesson[] = [
  { id: 'esp-transparent', module: 'esp8266', dialect: 'aliyun', en: 'ESP8266, transparent mode: MQTT byte by byte', zh: 'ESP8266 透传：逐字节拼 MQTT 报文', steps: espTransparent },
  { id: 'esp-lengths', module: 'esp8266', dialect: 'aliyun', en: 'STM32 + ESP8266: Aliyun by CIPSEND', zh: 'STM32 + ESP8266：用 CIPSEND 接入阿里云', steps: espLengths },
  { id: 'esp-onenet', module: 'esp8266', dialect: 'onenet', en: 'ESP8266: OneNET with a token', zh: 'ESP8266：用 token 接入 OneNET', steps: espOneNET },
  { id: 'ec20', module: 'ec20', dialect: 'aliyun', en: 'EC20: Aliyun by aliauth', zh: '移远 EC20：aliauth 接入阿里云', steps: ec20 },
  { id: 'nt35e', module: 'nt35e', dialect: 'aliyun', en: 'NT35E: Aliyun by aliauth', zh: '利尔达 NT35E：aliauth 接入阿里云', steps: nt35e },
]
