import { texts } from '../i18n/texts'

// ruleTexts are the words of what a product demands of its devices.
export const ruleTexts = texts(
  {
    strictness: 'Strictness',
    strict: { lenient: 'Lenient', strict: 'Strict', open: 'Open' } as Record<string, string>,
    strictHelp: {
      lenient: 'As tolerant as the vendor’s real servers. Right for devices that exist.',
      strict: 'The written rules to the letter. Right for firmware in the making.',
      open: 'Any credentials of a known device are taken. Only for the lab.',
    } as Record<string, string>,
    openWarn: 'Whoever knows a device’s name may log in as that device.',
    dataModel: 'Data model',
    thing: 'Thing model',
    streams: 'Data streams',
    nodeType: 'Node type',
    device: 'Directly connected device',
    gateway: 'Gateway with sub-devices',
  },
  {
    strictness: '校验级别',
    strict: { lenient: '宽松', strict: '严格', open: '开放' },
    strictHelp: {
      lenient: '与厂商实际平台一样宽容，适合已出厂的设备。',
      strict: '严格按文档校验，适合开发中的固件。',
      open: '只要设备存在，任何凭据都可登录，仅限实验环境。',
    },
    openWarn: '任何知道设备名称的人都可以以该设备的身份登录。',
    dataModel: '数据模型',
    thing: '物模型',
    streams: '数据流',
    nodeType: '节点类型',
    device: '直连设备',
    gateway: '网关设备（可挂载子设备）',
  },
)
