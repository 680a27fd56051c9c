import { texts } from '../i18n/texts'

// explainTexts are the words of what explains bytes and refusals.
export const explainTexts = texts(
  {
    field: 'Field', meaning: 'Meaning', expected: 'Expected', received: 'Received', stringToSign: 'Text that is signed', right: 'A login that works',
    advice: 'What to do', cause: 'Why it happens', device: 'How it looks on the device', example: 'Example', about: (code: string) => `About ${code}`,
    corrected: 'The packet as it should be', none: '(nothing)', copy: 'Copy', remaining: 'Remaining length, step by step',
    step: (hex: string, low: number, factor: number, more: boolean) => `0x${hex}: ${low} × ${factor} = ${low * factor}; bit 7 is ${more ? '1: another byte follows' : '0: the last byte'}`,
    total: (n: number) => `Together ${n} bytes follow.`, clientId: 'Client ID', username: 'User name', password: 'Password', hexView: 'Bytes in hex',
    moreBytes: (n: number) => `Show more: ${n} bytes are left`, morePackets: (n: number) => `Show more: ${n} packets are left`, skipped: (n: number) => `${n} bytes behind these were not looked at: it is too much for one page.`,
    blank: 'blank', tab: 'tab', lineEnd: 'line end', unseen: (code: string) => `character ${code}, which is not seen`,
  },
  {
    field: '字段', meaning: '含义', expected: '应为', received: '收到', stringToSign: '待签名字符串', right: '正确的登录参数',
    advice: '处理办法', cause: '原因', device: '设备侧现象', example: '示例', about: (code) => `${code} 说明`,
    corrected: '修正后的报文', none: '（空）', copy: '复制', remaining: '剩余长度逐步解码',
    step: (hex, low, factor, more) => `0x${hex}：${low} × ${factor} = ${low * factor}；最高位为 ${more ? '1，后面还有一个字节' : '0，这是最后一个字节'}`,
    total: (n) => `合计：后面还有 ${n} 字节。`, clientId: 'Client ID', username: '用户名', password: '密码', hexView: '十六进制字节',
    moreBytes: (n) => `显示更多：还有 ${n} 字节`, morePackets: (n) => `显示更多：还有 ${n} 个报文`, skipped: (n) => `其后 ${n} 字节过多，未作解析。`,
    blank: '空格', tab: '制表符', lineEnd: '换行', unseen: (code) => `不可见字符 ${code}`,
  },
)
