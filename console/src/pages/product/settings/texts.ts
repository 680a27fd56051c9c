import { texts } from '../../../i18n/texts'

export const productSettingTexts = texts(
  {
    save: 'Save', saved: 'Saved', name: 'Name', desc: 'Notes', fixed: 'Key and dialect stay as they are: the devices carry them.', undo: 'Undo',
    dataModelHelp: 'Holds for devices from their next login on.',
    secret: 'ProductSecret', accessKey: 'Access key',
    secretHelp: { aliyun: 'Devices without a secret of their own register with it (一型一密).', onenet: 'Devices and programs may sign tokens with it for all devices of the product.', mqtt: 'Plain MQTT devices log in with their own secrets; this one has no use yet.' } as Record<string, string>,
    reset: 'New secret', resetTitle: (what: string) => `Give the product another ${what}?`,
    resetWhat: {
      aliyun: ['Devices with a DeviceSecret of their own notice nothing.', 'Devices that register with the old ProductSecret are refused from now on, and told why. Their firmware needs the new one.'],
      onenet: ['Devices that sign with their own key notice nothing.', 'Devices and programs that sign with the old access key are refused at their next login, and told why. Connections that stand go on.'],
      mqtt: ['Devices notice nothing.'],
    } as Record<string, string[]>,
    resetDone: 'The new one. Copy it to where it is needed.',
    end: 'Delete the product', endHelp: 'Ends it for good, with all that belongs to it.', remove: 'Delete product', removeTitle: (name: string) => `Delete the product ${name}?`,
    removeWhat: (n: string) => [`Its ${n} devices go with it: connections end, and they cannot log in any more.`, 'All they ever said goes: values, events, commands, files.', 'Thing model, topics, parsing script, configuration, batches and upgrade packages go.', 'This cannot be undone.'],
    gone: (name: string) => `${name} was deleted`, role: 'Your role may look, but not change.',
  },
  {
    save: '保存', saved: '已保存', name: '产品名称', desc: '备注', fixed: 'ProductKey 与接入协议已写入设备，不可修改。', undo: '撤销',
    dataModelHelp: '设备下次登录时生效。',
    secret: 'ProductSecret', accessKey: '产品 access_key',
    secretHelp: { aliyun: '未烧录 DeviceSecret 的设备使用它进行动态注册（一型一密）。', onenet: '可用它为产品下所有设备签发 token。', mqtt: '标准 MQTT 设备使用各自的密钥登录，暂不使用此密钥。' },
    reset: '重置', resetTitle: (what) => `重置 ${what}？`,
    resetWhat: {
      aliyun: ['已有 DeviceSecret 的设备不受影响。', '仍使用旧 ProductSecret 动态注册的设备会被拒绝并收到原因，需要更新固件。'],
      onenet: ['使用设备密钥签名的设备不受影响。', '使用旧 access_key 签名的设备和程序在下次登录时会被拒绝并收到原因；已建立的连接不受影响。'],
      mqtt: ['设备不受影响。'],
    },
    resetDone: '以下是新密钥，请复制到需要的地方。',
    end: '删除产品', endHelp: '永久删除产品及其全部内容。', remove: '删除产品', removeTitle: (name) => `删除产品 ${name}？`,
    removeWhat: (n) => [`产品下的 ${n} 台设备将一并删除：连接断开，无法再登录。`, '全部历史数据将被删除：属性、事件、下发记录、文件。', '物模型、Topic 类、解析脚本、远程配置、批次和升级包将被删除。', '此操作不可撤销。'],
    gone: (name) => `已删除 ${name}`, role: '当前角色只能查看，不能修改。',
  },
)
