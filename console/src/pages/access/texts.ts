import { texts } from '../../i18n/texts'

export const accessTexts = texts(
  {
    operators: 'Operators', tokens: 'Access tokens', mine: 'My password',
    name: 'Name', role: 'Role', password: 'Password', made: 'Made', changed: 'Changed', owner: 'Owner', house: 'This server', expires: 'Expires', used: 'Last used', never: 'Never',
    administrator: 'Administrator', operator: 'Operator', viewer: 'Viewer',
    roleHelp: 'Viewers look and see no secret; operators work with products, devices and commands; administrators also manage people.',
    generated: 'generated password', addOperator: 'Add operator', addToken: 'Make token', edit: 'Change', remove: 'Delete', cancel: 'Cancel', save: 'Save',
    newPassword: 'New password', keepPassword: 'Left empty, it stays as it is. A new one ends his sessions.',
    sureOperator: (name: string) => `Delete ${name}, with all his tokens?`, sureToken: (name: string) => `Delete the token “${name}”? What uses it is refused at once.`,
    tokenFor: 'What is it for?', tokenForHint: 'Such as: the dashboard in the hall', life: 'Good for', day: 'one day', month: '30 days', year: 'one year', ever: 'ever',
    onceTitle: 'Copy the token now', once: 'It is shown this once. Nobody can read it again, only delete it.', copied: 'I have copied it',
    oldPassword: 'Present password', again: 'New password again', differ: 'The two are not the same.', change: 'Change password', done: 'Your password was changed. Sign in with it.',
    noTokens: 'No access tokens. A program that uses the REST interface needs one.', you: 'you',
  },
  {
    operators: '用户', tokens: '访问令牌', mine: '我的密码',
    name: '用户名', role: '角色', password: '密码', made: '创建时间', changed: '更新时间', owner: '所有者', house: '本服务器', expires: '过期时间', used: '最近使用', never: '永不',
    administrator: '管理员', operator: '操作员', viewer: '观察者',
    roleHelp: '观察者只能查看，看不到任何密钥；操作员可管理产品、设备并下发指令；管理员还可管理用户。',
    generated: '初始密码未修改', addOperator: '新增用户', addToken: '新建令牌', edit: '修改', remove: '删除', cancel: '取消', save: '保存',
    newPassword: '新密码', keepPassword: '留空则不修改。修改后该用户需重新登录。',
    sureOperator: (name: string) => `确定删除用户 ${name} 及其全部令牌？`, sureToken: (name: string) => `确定删除令牌“${name}”？使用它的程序会立即被拒绝。`,
    tokenFor: '用途', tokenForHint: '例如：大厅看板', life: '有效期', day: '1 天', month: '30 天', year: '1 年', ever: '永久',
    onceTitle: '请立即复制令牌', once: '令牌只显示这一次，之后无法再次查看，只能删除。', copied: '我已复制',
    oldPassword: '当前密码', again: '再次输入新密码', differ: '两次输入的密码不一致。', change: '修改密码', done: '密码已修改，请用新密码登录。',
    noTokens: '还没有访问令牌。程序调用 REST 接口时需要令牌。', you: '我',
  },
)
