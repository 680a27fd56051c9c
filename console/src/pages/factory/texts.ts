import { texts } from '../../i18n/texts'

export const factoryTexts = texts(
  {
    make: 'Make a batch', name: 'Batch', nameHint: 'Left empty, the time', note: 'Note', count: 'Devices', prefix: 'Beginning of the DeviceNames', names: 'Chosen DeviceNames', namesHint: 'In place of a number: separated by commas or line breaks', list: 'Put the names on the list of those that may register (一型一密)',
    made: 'Made', registered: 'Registered', connected: 'Connected', disabled: 'Disabled', csv: 'CSV with secrets', revoke: 'Revoke', allow: 'Allow again', remove: 'Forget', cancel: 'Cancel', back: 'All batches', more: 'More devices',
    sureRevoke: (n: string) => `Revoke ${n}? All its devices are refused and their connections end.`, sureRemove: (n: string) => `Forget the batch ${n}? Only one without devices can be forgotten.`,
    none: 'No batches. A batch makes many devices at once and hands you their secrets for the factory.', device: 'DeviceName', road: 'How', registeredAt: 'Registered at', connectedAt: 'First connected', certificate: 'X.509 certificate', bind: 'Bind', unbind: 'Unbind',
    bindTitle: (d: string) => `Bind ${d} to its certificate`, bindHint: 'The certificate in PEM, or its SHA-256 in hexadecimal digits', state: 'State', enabled: 'enabled', off: 'revoked', needRole: 'This needs the role operator.', changed: (n: number) => `${n} devices changed.`,
    never: 'not yet', secretsHint: 'The file holds every DeviceSecret: keep it like one.',
  },
  {
    make: '创建批次', name: '批次', nameHint: '留空则以时间命名', note: '备注', count: '设备数量', prefix: 'DeviceName 前缀', names: '指定 DeviceName', namesHint: '填写后不再按数量生成，用逗号或换行分隔', list: '同时加入动态注册（一型一密）白名单',
    made: '创建时间', registered: '已注册', connected: '已激活', disabled: '已禁用', csv: '导出 CSV（含密钥）', revoke: '禁用', allow: '启用', remove: '删除', cancel: '取消', back: '全部批次', more: '更多设备',
    sureRevoke: (n: string) => `确定禁用批次 ${n}？该批次全部设备将被拒绝接入，现有连接会断开。`, sureRemove: (n: string) => `确定删除批次 ${n}？仅能删除没有设备的批次。`,
    none: '还没有批次。创建批次可一次生成大量设备，并导出密钥供产线烧录。', device: 'DeviceName', road: '注册方式', registeredAt: '注册时间', connectedAt: '激活时间', certificate: 'X.509 证书', bind: '绑定', unbind: '解绑',
    bindTitle: (d: string) => `为 ${d} 绑定证书`, bindHint: 'PEM 格式的证书，或其 SHA-256 指纹（十六进制）', state: '状态', enabled: '已启用', off: '已禁用', needRole: '需要操作员权限。', changed: (n: number) => `已更新 ${n} 台设备。`,
    never: '未激活', secretsHint: '文件中包含全部 DeviceSecret，请妥善保管。',
  },
)
