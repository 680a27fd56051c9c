import { texts, useTexts } from '../i18n/texts'

export const roles = ['administrator', 'operator', 'viewer'] as const
export type Role = (typeof roles)[number]

const roleTexts = texts(
  {
    names: { administrator: 'Administrator', operator: 'Operator', viewer: 'Viewer' } as Record<string, string>,
    role: 'Role',
    help: 'Viewers look and see no secret; operators work with products, devices and commands; administrators also manage people.',
  },
  {
    names: { administrator: '管理员', operator: '操作员', viewer: '观察者' },
    role: '角色',
    help: '观察者只能查看，看不到任何密钥；操作员可管理产品、设备并下发指令；管理员还可管理用户。',
  },
)

// useRoles says the roles in words.
export const useRoles = () => useTexts(roleTexts)
