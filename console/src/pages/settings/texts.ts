import { texts } from '../../i18n/texts'

export const settingTexts = texts(
  {
    about: 'About', version: 'Version', started: 'Started', devices: 'Devices', online: 'Online', memory: 'Memory', look: 'Language and look', trust: 'What devices trust', ca: 'Download the certificate authority',
    caHint: 'Devices that connect over TLS need this certificate, unless the server has one of a public authority.', docs: 'The REST interface', configuration: 'Configuration',
    configurationHint: 'As the server runs with it; secrets are left out. It is changed in the file, by environment or by flags.', key: 'Key', value: 'Value', from: 'From', usual: 'Default', filter: 'Find a key', changed: 'Only what differs',
    sources: { default: 'default', 'file or flag': 'file or flag', environment: 'environment' } as Record<string, string>, administrators: 'Administrators see the configuration here.',
  },
  {
    about: '关于', version: '版本', started: '启动时间', devices: '设备', online: '在线', memory: '内存', look: '语言与外观', trust: '设备信任的证书', ca: '下载 CA 证书',
    caHint: '设备通过 TLS 接入时需信任此证书；若服务器使用公共 CA 签发的证书则不需要。', docs: 'REST 接口文档', configuration: '配置',
    configurationHint: '服务器当前生效的配置，不含密钥。可通过配置文件、环境变量或命令行参数修改。', key: '配置项', value: '当前值', from: '来源', usual: '默认值', filter: '查找配置项', changed: '只看已修改',
    sources: { default: '默认', 'file or flag': '文件或参数', environment: '环境变量' }, administrators: '管理员可在此查看配置。',
  },
)
