import { texts } from '../../../i18n/texts'

export const registrationTexts = texts(
  {
    about: 'Devices that carry only ProductKey and ProductSecret ask for their DeviceSecret at their first start (一型一密).',
    switches: 'Who may register',
    names: { enabled: 'Dynamic registration', free: 'Without pre-registration', listed: 'Only names on the white list' },
    help: {
      enabled: 'Devices that exist and have never connected are told their secret. Off: every registration is refused.',
      free: 'Devices need not exist before: they are made when they register, and log in with a token.',
      listed: 'Who is not on the list below is refused, whether the device exists or not.',
    },
    most: 'Most devices of the product', mostHelp: 'Registration makes no further device where the product has so many. 0 means 10,000.', save: 'Save', saved: 'Saved',
    list: 'White list', listHelp: 'The DeviceNames that may register where the switch above says so.',
    listOff: 'The list is kept, but nobody asks it: the switch “Only names on the white list” is off.',
    listEmpty: 'The list is empty, so no device can register.',
    add: 'Add names', remove: 'Take names off', take: (n: number) => `Take ${n} off`, none: 'No name is on the list.', search: 'A part of a name', noMatch: 'No name on the list has this in it.', name: 'DeviceName', more: 'Show more',
    many: 'DeviceNames', manyHelp: 'One a line, or with blanks or commas between; at most 10,000 at once.', count: (n: number) => `${n} names`, needed: 'Write at least one name.', tooMany: 'At most 10,000 at once.',
    badName: (name: string) => `“${name}” is no DeviceName: no more than 64 characters, without / & + #`,
    added: (n: number) => `${n} names are new on the list`, taken: (n: number) => `${n} names were taken off`, cancel: 'Cancel',
    role: 'Needs the role of operator',
  },
  {
    about: '设备只烧录 ProductKey 和 ProductSecret，首次启动时动态获取 DeviceSecret（一型一密）。',
    switches: '允许注册的设备',
    names: { enabled: '动态注册', free: '免预注册', listed: '仅限白名单' },
    help: {
      enabled: '已创建且从未连接过的设备可获取密钥。关闭后拒绝所有注册请求。',
      free: '设备无需预先创建，注册时自动创建，并使用 token 登录。',
      listed: '不在下方白名单中的 DeviceName 一律拒绝，无论设备是否存在。',
    },
    most: '产品设备数上限', mostHelp: '达到上限后，注册不再创建新设备。0 表示 10,000 台。', save: '保存', saved: '已保存',
    list: '白名单', listHelp: '开启“仅限白名单”后允许注册的 DeviceName。',
    listOff: '“仅限白名单”未开启，名单保留但不生效。',
    listEmpty: '白名单为空，任何设备都无法注册。',
    add: '添加名称', remove: '批量移除', take: (n) => `移除所选 ${n} 个`, none: '白名单中没有名称。', search: '搜索 DeviceName', noMatch: '没有匹配的名称。', name: 'DeviceName', more: '加载更多',
    many: 'DeviceName 列表', manyHelp: '每行一个，也可用空格或逗号分隔；一次最多 10,000 个。', count: (n) => `共 ${n} 个`, needed: '请至少填写一个名称。', tooMany: '一次最多 10,000 个。',
    badName: (name) => `“${name}”不是合法的 DeviceName：不超过 64 个字符，且不含 / & + #`,
    added: (n) => `新增 ${n} 个名称`, taken: (n) => `已移除 ${n} 个名称`, cancel: '取消',
    role: '需要操作员权限',
  },
)
