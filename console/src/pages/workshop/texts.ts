import { texts } from '../../i18n/texts'

export const workshopTexts = texts(
  {
    explain: 'Explain a packet', build: 'Build a packet', sign: 'Signature and token', time: 'Timestamp', doctor: 'Login doctor', client: 'MQTT client', replay: 'Captures',
    needs: 'This tool needs the role of operator', version: 'MQTT version', guess: 'guess', bytes: 'Bytes in hex, as a log or a C source has them', go: 'Explain', type: 'Packet', filters: 'Topic filters, one a line',
    buildIt: 'Build', keepAlive: 'Keep-alive, seconds', payload: 'Payload', topic: 'Topic', retain: 'Retain', id: 'Packet identifier', result: 'Bytes',
    signIt: 'Compute', method: 'Sign method', timestamp: 'Timestamp, milliseconds (may be empty)', et: 'Expires at, Unix seconds (empty: in a year)', level: 'Level', levelDevice: 'device', levelProduct: 'product', productId: 'Product ID', key: 'Key, Base64', deviceName: 'DeviceName',
    now: 'Now', moment: 'Unix seconds or milliseconds, or a date', seconds: 'Seconds', millis: 'Milliseconds', local: 'Your zone', utc: 'UTC', notTime: 'This is no time',
    diagnose: 'Find the mistake', orHex: 'Or the whole CONNECT in hex', fine: 'This login is right: the device would be let in.',
    address: 'WebSocket address of the device port', connect: 'Connect', disconnect: 'Disconnect', subscribe: 'Subscribe', publish: 'Publish', filter: 'Topic filter', history: 'History', keepSecret: 'Keep the password in this browser, too', save: 'Keep profile', profiles: 'Profiles', profile: 'Name of the profile', state: { off: 'not connected', on: 'connected', trying: 'connecting' } as Record<string, string>,
    upload: 'Choose or drop a capture (pcap, pcapng), JSON lines, a serial log or a text of hex; 4 MB at most', packets: (n: number) => `${n} packets`, left: (n: number) => `${n} more are not listed`, faults: (n: number) => `${n} faults`, fromDevice: 'device', fromBroker: 'broker',
  },
  {
    explain: '报文解析', build: '报文构造', sign: '签名与 token', time: '时间戳', doctor: '登录诊断', client: 'MQTT 客户端', replay: '抓包文件',
    needs: '该工具需要操作员权限', version: 'MQTT 版本', guess: '自动判断', bytes: '十六进制字节，可直接粘贴日志或 C 代码', go: '解析', type: '报文类型', filters: 'Topic 过滤器，每行一个',
    buildIt: '生成', keepAlive: '保活时间（秒）', payload: 'Payload', topic: 'Topic', retain: '保留消息', id: '报文标识符', result: '字节',
    signIt: '计算', method: '签名算法', timestamp: '时间戳（毫秒，可留空）', et: '过期时间 et（Unix 秒，留空为一年后）', level: '级别', levelDevice: '设备级', levelProduct: '产品级', productId: '产品 ID', key: '密钥（Base64）', deviceName: 'DeviceName',
    now: '当前时间', moment: 'Unix 秒、毫秒或日期', seconds: '秒', millis: '毫秒', local: '本地时区', utc: 'UTC', notTime: '无法识别的时间',
    diagnose: '诊断', orHex: '或粘贴完整的 CONNECT 报文（十六进制）', fine: '登录参数正确，设备可以接入。',
    address: '设备端口的 WebSocket 地址', connect: '连接', disconnect: '断开', subscribe: '订阅', publish: '发布', filter: 'Topic 过滤器', history: '收发记录', keepSecret: '同时在此浏览器中保存密码', save: '保存配置', profiles: '已存配置', profile: '配置名称', state: { off: '未连接', on: '已连接', trying: '连接中' },
    upload: '选择或拖入抓包文件（pcap、pcapng）、JSON Lines、串口日志或十六进制文本，最大 4 MB', packets: (n) => `${n} 个报文`, left: (n) => `另有 ${n} 个未列出`, faults: (n) => `${n} 处错误`, fromDevice: '设备', fromBroker: '服务端',
  },
)
