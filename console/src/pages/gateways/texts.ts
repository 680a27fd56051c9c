import { texts } from '../../i18n/texts'

export const gatewayTexts = texts(
  {
    gateway: 'Gateway', choose: 'Choose a gateway', none: 'This product has no devices yet.', noProduct: 'No gateway product', toProducts: 'Make one among the products', toDevices: 'Add one among the devices', noProductHint: 'No gateways yet. Make a product whose node type is gateway, and a device of it.', addHint: (g: string) => `A device of the same vendor's protocol, which ${g} then speaks for.`, subs: 'Sub-devices', found: 'Found, not yet added', add: 'Add', addSub: 'Add a sub-device', ask: 'Ask the gateway to add it', remove: 'Remove', cancel: 'Cancel',
    product: 'Product', device: 'DeviceName', state: 'State', since: 'Since', added: 'Added', foundAt: 'Found', permit: 'Permit joining', permitHint: 'The gateway takes new sub-devices in for so long', seconds: 's', any: 'any product',
    delivered: 'The gateway was told.', queued: 'The gateway is away; it is told when it comes back.', sure: (d: string) => `Remove ${d} from this gateway? The device itself stays.`, noSubs: 'No sub-devices. Permit joining, or add one.', noFound: 'The gateway has reported none.', needRole: 'This needs the role operator.',
  },
  {
    gateway: '网关', choose: '选择网关', none: '该产品还没有设备。', noProduct: '没有网关产品', toProducts: '到产品页创建', toDevices: '到设备页添加', noProductHint: '还没有网关。请先创建节点类型为网关的产品，再添加设备。', addHint: (g: string) => `选择使用相同协议的设备，由 ${g} 代理其通信。`, subs: '子设备', found: '已发现，待添加', add: '添加', addSub: '添加子设备', ask: '请网关添加', remove: '移除', cancel: '取消',
    product: '产品', device: 'DeviceName', state: '状态', since: '状态时间', added: '添加时间', foundAt: '发现时间', permit: '允许入网', permitHint: '在此时长内网关允许新的子设备加入', seconds: '秒', any: '不限产品',
    delivered: '已通知网关。', queued: '网关不在线，上线后会收到通知。', sure: (d: string) => `确定从该网关移除 ${d}？设备本身会保留。`, noSubs: '还没有子设备。可允许入网，或直接添加。', noFound: '网关没有上报待添加的子设备。', needRole: '需要操作员权限。',
  },
)
