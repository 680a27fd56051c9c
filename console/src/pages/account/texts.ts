import { texts } from '../../i18n/texts'

export const accountTexts = texts(
  {
    who: (name: string, role: string) => `${name} · ${role}`,
    may: { administrator: 'You may do everything, people and settings included.', operator: 'You may work with products, devices and commands.', viewer: 'You may look at everything but secrets, and change nothing.' } as Record<string, string>,
    password: 'Password', oldPassword: 'Present password', newPassword: 'New password', again: 'New password again', differ: 'The two are not the same.', change: 'Change password',
    passwordHelp: 'A new password ends all your sessions, this one, too. Your access tokens stay.', done: 'Your password was changed. Sign in with it.',
    tokens: 'My access tokens', tokensHelp: 'Each lets one program use the REST interface in your name, with no more than your role.',
    everywhere: 'Sign out everywhere', everywhereHelp: 'For when you forgot to sign out somewhere, or someone else may have. Your access tokens stay.',
    everywhereTitle: 'Sign out everywhere?', everywhereWhat: ['All your sessions end, on every machine, this one, too.', 'Programs with your access tokens go on: delete those above where they shall not.'],
    ended: (n: number) => (n === 1 ? 'One session ended.' : `${n} sessions ended.`),
  },
  {
    who: (name, role) => `${name} · ${role}`,
    may: { administrator: '可执行所有操作，包括管理用户和设置。', operator: '可管理产品、设备并下发指令。', viewer: '可查看除密钥以外的全部内容，不能修改。' },
    password: '密码', oldPassword: '当前密码', newPassword: '新密码', again: '再次输入新密码', differ: '两次输入的密码不一致。', change: '修改密码',
    passwordHelp: '修改后所有会话（包括当前会话）都需重新登录，访问令牌不受影响。', done: '密码已修改，请用新密码登录。',
    tokens: '我的访问令牌', tokensHelp: '程序使用令牌以你的名义调用 REST 接口，权限不超过你的角色。',
    everywhere: '退出所有登录', everywhereHelp: '在别处忘记退出，或怀疑他人登录时使用。访问令牌不受影响。',
    everywhereTitle: '退出所有登录？', everywhereWhat: ['你在所有设备上的会话（包括当前会话）都将结束。', '使用访问令牌的程序不受影响，如需停用请在上方删除令牌。'],
    ended: (n) => `已结束 ${n} 个会话。`,
  },
)
