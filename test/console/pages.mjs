// Every page of the console, and a word that each language has in its menu.
export const pages = [
  { name: 'overview', path: '/', en: 'Overview', zh: '概览' },
  { name: 'products', path: '/products', en: 'Products', zh: '产品' },
  { name: 'product', path: '/products/a1DemoLight' },
  { name: 'devices', path: '/devices', en: 'Devices', zh: '设备' },
  { name: 'device', path: '/devices/a1DemoLight/light01' },
  { name: 'timeline', path: '/timeline', en: 'Timeline', zh: '时间线' },
  { name: 'workshop', path: '/workshop', en: 'Workshop', zh: '工坊' },
  { name: 'bench', path: '/bench', en: 'Bench', zh: '工作台' },
  { name: 'upgrades', path: '/upgrades', en: 'Upgrades', zh: '固件升级' },
  { name: 'gateways', path: '/gateways', en: 'Gateways', zh: '网关' },
  { name: 'factory', path: '/factory', en: 'Factory', zh: '量产' },
  { name: 'account', path: '/account' },
  { name: 'access', path: '/access', en: 'People and keys', zh: '用户与密钥' },
  { name: 'audit', path: '/audit', en: 'Audit log', zh: '审计日志' },
  { name: 'settings', path: '/settings', en: 'Settings', zh: '设置' },
]

// What pages show behind their tabs, by address.
export const tabs = [
  { name: 'curves', path: '/devices/a1DemoLight/light01?tab=curves' },
  { name: 'commands', path: '/devices/a1DemoLight/light01?tab=commands' },
  { name: 'connect', path: '/devices/a1DemoLight/light01?tab=connect' },
  { name: 'desired', path: '/devices/a1DemoLight/light01?tab=desired' },
  { name: 'talk', path: '/timeline?product=a1DemoLight&device=light01' },
  { name: 'codes', path: '/timeline?tab=codes' },
  { name: 'build', path: '/workshop?tool=build' },
  { name: 'sign', path: '/workshop?tool=sign' },
  { name: 'doctor', path: '/workshop?tool=doctor' },
  { name: 'client', path: '/workshop?tool=client' },
  { name: 'replay', path: '/workshop?tool=replay' },
  { name: 'plugged', path: '/bench?tab=plugged' },
  { name: 'simulated', path: '/bench?tab=simulated' },
]
