import { texts } from '../../i18n/texts'

export const actionTexts = texts(
  {
    manage: 'Manage', role: 'Needs the role of operator',
    enable: 'Enable', disable: 'Disable', newSecret: 'New secret', again: 'Let it register again', remove: 'Delete', enabled: 'The device may log in again.', disabled: 'The device is disabled.',
    disableTitle: (d: string) => `Disable ${d}?`, disableWhat: ['Its connection ends, and it is refused until it is enabled again.', 'What it said stays, and so does its secret.'],
    secretTitle: (d: string) => `Give ${d} another DeviceSecret?`,
    secretWhat: ['Its connection ends at once.', 'With the old secret it is refused from now on, and told why: its firmware needs the new one.'],
    secretDone: 'The new DeviceSecret. “Connect my device” has the lines that use it.',
    againTitle: (d: string) => `Let ${d} register again?`, againWhat: ['It counts as never connected, so that it may ask for its secret once more (dynamic registration).', 'Its secret is another from now on; its connection ends.'], againDone: 'The device may register again.',
    removeTitle: (d: string) => `Delete ${d}?`, removeWhat: ['Its connection ends, and it cannot log in any more.', 'All it ever said goes: values, events, commands, timeline, files.', 'This cannot be undone.'], gone: (d: string) => `${d} was deleted`,
    rename: 'Change nickname', nickname: 'Nickname', save: 'Save', cancel: 'Cancel', tooLong: 'At most 256 bytes',
    tags: 'Tags', addTag: 'Tag', tag: 'name=value', tagHelp: 'name or name=value; Enter keeps it, Esc leaves it', changeTag: (n: string) => `Change tag ${n}`, removeTag: (n: string) => `Remove tag ${n}`, system: 'What its SDK says of itself',
  },
  {
    manage: '管理', role: '需要操作员权限',
    enable: '启用', disable: '禁用', newSecret: '重置密钥', again: '允许重新注册', remove: '删除', enabled: '设备已启用。', disabled: '设备已禁用。',
    disableTitle: (d) => `禁用 ${d}？`, disableWhat: ['连接立即断开，启用之前拒绝登录。', '历史数据和密钥保留。'],
    secretTitle: (d) => `重置 ${d} 的 DeviceSecret？`,
    secretWhat: ['连接立即断开。', '使用旧密钥登录会被拒绝并收到原因，需要更新设备固件。'],
    secretDone: '以下是新的 DeviceSecret，“接入设备”页给出了使用它的内容。',
    againTitle: (d) => `允许 ${d} 重新注册？`, againWhat: ['设备恢复为未激活状态，可再次动态注册获取密钥。', '密钥立即更换，连接断开。'], againDone: '设备可以重新注册了。',
    removeTitle: (d) => `删除 ${d}？`, removeWhat: ['连接断开，无法再登录。', '全部历史将被删除：属性、事件、下发记录、时间线、文件。', '此操作不可撤销。'], gone: (d) => `已删除 ${d}`,
    rename: '修改备注名称', nickname: '备注名称', save: '保存', cancel: '取消', tooLong: '最多 256 字节',
    tags: '标签', addTag: '标签', tag: '名称=值', tagHelp: '名称 或 名称=值；回车保存，Esc 取消', changeTag: (n) => `修改标签 ${n}`, removeTag: (n) => `移除标签 ${n}`, system: 'SDK 上报的系统标签',
  },
)
