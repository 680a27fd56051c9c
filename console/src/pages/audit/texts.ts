import { texts } from '../../i18n/texts'

export const auditTexts = texts(
  {
    intro: 'Every change through the console, the command line and REST, and everything that was refused. Secrets are not in it.',
    at: 'Time', who: 'Who', from: 'From', what: 'Action', outcome: 'Outcome', all: 'All', done: 'Done', refused: 'Refused',
    nobody: 'unknown', token: 'token', begins: 'Path begins with', more: 'Older entries', none: 'Nothing was changed yet, or nothing fits the filter.',
  },
  {
    intro: '记录通过控制台、命令行和 REST 进行的每一次变更，以及所有被拒绝的请求。不含任何密钥。',
    at: '时间', who: '操作者', from: '来源地址', what: '操作', outcome: '结果', all: '全部', done: '成功', refused: '被拒绝',
    nobody: '未知', token: '令牌', begins: '路径前缀', more: '加载更早的记录', none: '没有符合条件的记录。',
  },
)
