import { texts } from '../../i18n/texts'

export const accessTexts = texts(
  {
    operators: 'People', tokens: 'All access tokens',
    name: 'Name', password: 'Password', made: 'Made', changed: 'Changed', you: 'you',
    generated: 'generated password', addOperator: 'Add operator', edit: 'Change', remove: 'Delete', cancel: 'Cancel', save: 'Save',
    newPassword: 'New password', keepPassword: 'Left empty, it stays as it is. A new one ends his sessions.',
    sureOperator: (name: string) => `Delete ${name}, with all his tokens?`,
    disabled: 'disabled', disable: 'Disable', enable: 'Enable', notOneself: 'Nobody disables himself: another administrator can.',
    sureDisable: (name: string) => `Disable ${name}? His sessions end now, and his tokens work no longer until he is enabled again.`,
  },
  {
    operators: '用户', tokens: '全部访问令牌',
    name: '用户名', password: '密码', made: '创建时间', changed: '更新时间', you: '我',
    generated: '初始密码未修改', addOperator: '新增用户', edit: '修改', remove: '删除', cancel: '取消', save: '保存',
    newPassword: '新密码', keepPassword: '留空则不修改。修改后该用户需重新登录。',
    sureOperator: (name) => `确定删除用户 ${name} 及其全部令牌？`,
    disabled: '已禁用', disable: '禁用', enable: '启用', notOneself: '不能禁用自己，请由其他管理员操作。',
    sureDisable: (name) => `确定禁用用户 ${name}？其登录会话立即失效，名下令牌在重新启用前均不可用。`,
  },
)
