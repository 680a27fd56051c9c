// Every page of the console, and a word that each language has in its menu.
// Where `barriers` is 'open', axe's findings are printed and not yet mended:
// pale tags and red buttons, and a wide table without anything to focus.
export const pages = [
  { name: 'overview', barriers: 'open', path: '/', en: 'Overview', zh: '概览' },
  { name: 'products', path: '/products', en: 'Products', zh: '产品' },
  { name: 'product', path: '/products/a1DemoLight' },
  { name: 'devices', barriers: 'open', path: '/devices', en: 'Devices', zh: '设备' },
  { name: 'device', barriers: 'open', path: '/devices/a1DemoLight/light01' },
  { name: 'timeline', path: '/timeline', en: 'Timeline', zh: '时间线' },
  { name: 'workshop', barriers: 'open', path: '/workshop', en: 'Workshop', zh: '工坊' },
  { name: 'bench', path: '/bench', en: 'Bench', zh: '工作台' },
  { name: 'upgrades', path: '/upgrades', en: 'Upgrades', zh: '固件升级' },
  { name: 'gateways', barriers: 'open', path: '/gateways', en: 'Gateways', zh: '网关' },
  { name: 'factory', barriers: 'open', path: '/factory', en: 'Factory', zh: '量产' },
  { name: 'account', path: '/account' },
  { name: 'access', barriers: 'open', path: '/access', en: 'People and keys', zh: '用户与密钥' },
  { name: 'audit', barriers: 'open', path: '/audit', en: 'Audit log', zh: '审计日志' },
  { name: 'settings', barriers: 'open', path: '/settings', en: 'Settings', zh: '设置' },
]
