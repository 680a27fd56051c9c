import { texts } from '../../../i18n/texts'

export const scriptTexts = texts(
  {
    about: 'For devices that speak bytes of their own: JavaScript makes messages of them, and bytes of messages.',
    source: 'Script', none: 'Not saved yet: this is a beginning.', version: (n: number) => `version ${n}`, edited: 'not saved yet', savedAt: 'saved',
    has: 'It has', save: 'Save', saved: (n: number) => `Saved as version ${n}. It runs from the next message on.`, back: 'Discard changes', remove: 'Delete script',
    removeTitle: 'Delete the parsing script?',
    removeWhat: ['Bytes that devices send on the topics for raw data are no longer turned into values.', 'Commands to such devices fail.', 'Versions of scripts are not kept: copy it first where you may want it again.'],
    bench: 'Test bench', benchHelp: 'Runs what stands in the editor, saved or not. Nothing is stored, no device hears of it.',
    function: 'Function',
    functions: { rawDataToProtocol: 'Bytes of the device to a message', protocolToRawData: 'A message to bytes for the device', transformPayload: 'Topic and bytes of a custom topic to JSON' } as Record<string, string>,
    hex: 'Bytes in hex', badHex: 'Hex digits come in pairs: AA 01 1F', bytes: (n: number) => `${n} bytes`,
    message: 'Message, JSON', badJson: 'This is not JSON', topic: 'Topic',
    run: 'Run', result: 'Result', asBytes: 'Bytes', cpu: (s: string) => `processor time ${s}`, console: 'Console', noConsole: 'The script wrote nothing with console.log.', good: (f: string) => `${f} did well`, code: 'code',
    samples: 'Messages of a device as samples', samplesHelp: 'Choose a device: its last messages appear, and one click puts them above.', noSamples: 'This device has said nothing lately.', take: 'Take', cut: 'only its beginning is kept',
    role: 'Needs the role of operator',
  },
  {
    about: '适用于上报自定义二进制数据的设备：用 JavaScript 在字节与物模型消息之间转换。',
    source: '脚本', none: '尚未保存，以下为模板。', version: (n) => `版本 ${n}`, edited: '未保存', savedAt: '保存于',
    has: '包含函数', save: '保存', saved: (n) => `已保存为版本 ${n}，从下一条消息起生效。`, back: '放弃修改', remove: '删除脚本',
    removeTitle: '删除数据解析脚本？',
    removeWhat: ['设备上报的透传数据将不再解析为属性值。', '对这类设备的下发会失败。', '脚本不保留历史版本，如需留用请先复制。'],
    bench: '模拟运行', benchHelp: '运行编辑器中的脚本（无论是否已保存），不存储数据，也不会下发给设备。',
    function: '函数',
    functions: { rawDataToProtocol: '设备上报的字节 → 消息', protocolToRawData: '消息 → 下发给设备的字节', transformPayload: '自定义 Topic 的字节 → JSON' },
    hex: '十六进制字节', badHex: '十六进制字符须成对出现，例如 AA 01 1F', bytes: (n) => `${n} 字节`,
    message: 'JSON 消息', badJson: '不是合法的 JSON', topic: 'Topic',
    run: '运行', result: '运行结果', asBytes: '字节', cpu: (s) => `CPU 耗时 ${s}`, console: '控制台输出', noConsole: '脚本没有用 console.log 输出内容。', good: (f) => `${f} 运行成功`, code: '错误码',
    samples: '用设备的最近消息作样本', samplesHelp: '选择设备后列出其最近的上行消息，点击即可填入上方。', noSamples: '该设备最近没有上报消息。', take: '使用', cut: '仅保留开头部分',
    role: '需要操作员权限',
  },
)
