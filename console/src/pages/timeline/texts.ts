import { texts } from '../../i18n/texts'

export const pageTexts = texts(
  { nameless: 'What named no device', codes: 'All codes', tabTalk: 'Conversation', searchCodes: 'Search code, title, cause', first: 'Choose a device above, or look at what came that named none.', found: (n: number) => `${n} codes`, kinds: { refusal: 'refusal', value: 'value', fault: 'fault', note: 'note' } as Record<string, string> },
  { nameless: '未标识设备的连接', codes: '错误码大全', tabTalk: '通信记录', searchCodes: '搜索错误码、标题、原因', first: '请先选择设备，或查看未标识设备的连接。', found: (n) => `共 ${n} 个`, kinds: { refusal: '拒绝', value: '取值', fault: '错误', note: '提示' } },
)
