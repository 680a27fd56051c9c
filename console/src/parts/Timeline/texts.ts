import { texts } from '../../i18n/texts'

export const timelineTexts = texts(
  {
    pause: 'Hold', newer: (n: number) => (n > 0 ? `Go on: ${n} newer` : 'Go on'), earlier: 'Earlier', empty: 'Nothing was said yet', emptyHint: 'Whatever the device sends, and whatever it is refused for, appears here at once.',
    nothingFits: 'Nothing fits the filter', search: 'Search topic, text, payload', kind: 'Kind', code: 'Code', topic: 'Topic',
    watch: 'Under watch', watchHint: 'Keeps every packet byte by byte for ten minutes', watchDenied: 'Needs the role of operator', until: (s: string) => `until ${s}`,
    skipped: (n: number) => `${n} messages before this one were counted and not kept`, bytes: (n: number) => `${n} B`, up: 'from the device', down: 'to the device',
    layers: 'Five layers of a message', at: 'AT line', wire: 'Bytes', message: 'Topic and payload', values: 'Values and checks', stored: 'Stored rows', followed: 'What it caused',
    noAt: 'No AT line: the bytes came over the network, not through a module of the bench.', noBytes: 'No bytes are kept of this entry.', noMessage: 'No message: this entry is about the connection.',
    noValues: 'The dialect read no values in it.', noStored: 'Nothing of it is stored.', notFound: 'not stored', reencoded: 'made again from what is kept', recorded: 'as they came',
    cut: 'Only the beginning is kept', wanted: 'The model wants', record: 'record', failed: 'The timeline cannot be read',
    fits: 'fits', flagged: 'flagged', refused: 'refused',
    kinds: { connect: 'connect', refuse: 'refuse', disconnect: 'disconnect', subscribe: 'subscribe', uplink: 'uplink', downlink: 'downlink', command: 'command', reply: 'reply', fault: 'fault', note: 'note', packet: 'packet' } as Record<string, string>,
  },
  {
    pause: '暂停', newer: (n) => (n > 0 ? `继续（${n} 条新记录）` : '继续'), earlier: '更早', empty: '暂无记录', emptyHint: '设备上报的消息以及被拒绝的原因会实时显示在这里。',
    nothingFits: '没有符合筛选条件的记录', search: '搜索 Topic、说明、Payload', kind: '类型', code: '错误码', topic: 'Topic',
    watch: '抓包', watchHint: '逐字节保留全部报文，持续十分钟', watchDenied: '需要操作员权限', until: (s) => `至 ${s}`,
    skipped: (n) => `此前有 ${n} 条消息只计数、未保留`, bytes: (n) => `${n} 字节`, up: '上行', down: '下行',
    layers: '消息的五层视图', at: 'AT 指令', wire: '字节', message: 'Topic 与 Payload', values: '物模型取值与校验', stored: '存储记录', followed: '引发的记录',
    noAt: '没有 AT 指令：报文直接来自网络，未经过工作台的模块。', noBytes: '该记录没有保留字节。', noMessage: '该记录描述的是连接，不含消息。',
    noValues: '未解析出物模型取值。', noStored: '没有写入存储。', notFound: '未存储', reencoded: '由保留内容重新编码', recorded: '原始字节',
    cut: '仅保留开头部分', wanted: '物模型要求', record: '记录', failed: '无法读取时间线',
    fits: '符合', flagged: '存疑', refused: '已拒绝',
    kinds: { connect: '连接', refuse: '拒绝', disconnect: '断开', subscribe: '订阅', uplink: '上行', downlink: '下行', command: '指令', reply: '应答', fault: '错误', note: '提示', packet: '报文' },
  },
)
