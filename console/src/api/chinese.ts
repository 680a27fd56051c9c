// What the API says when it refuses is English. These are the sentences that a
// visitor meets, in Chinese; what is not among them is shown as it came.
const sentences: [RegExp, string][] = [
  [/^device (\S+) is offline, and (?:commands do|a synchronous).*$/, '设备 $1 不在线，指令不会为其排队'],
  [/^device (\S+) is offline$/, '设备 $1 不在线'],
  [/^this needs the role (\w+); (\S+) has the role (\w+)$/, '需要 $1 权限，$2 的角色是 $3'],
  [/^there is no product (".*")$/, '产品 $1 不存在'],
  [/^there is no device (".*")$/, '设备 $1 不存在'],
  [/^there is no access token .*$/, '访问令牌不存在'],
  [/^(?:device|product) (".*") was deleted meanwhile$/, '$1 已被删除'],
  [/^product (".*") exists already$/, '产品 $1 已存在'],
  [/^device (".*") exists already$/, '设备 $1 已存在'],
  [/^product (".*") has a batch (".*") already$/, '产品 $1 已有批次 $2'],
  [/^product key (".*"): use at most (\d+) letters, digits, and (.*)$/, 'ProductKey $1 不合法：最多 $2 个字符，只能包含字母、数字和 $3'],
  [/^device name (".*"): use 1 to (\d+) letters, digits, and (.*)$/, 'DeviceName $1 不合法：1 到 $2 个字符，只能包含字母、数字和 $3'],
  [/^device name (".*"): Alibaba Cloud wants (\d+) to (\d+) characters$/, 'DeviceName $1 不合法：阿里云要求 $2 到 $3 个字符'],
  [/^(\d+) of (\d+) devices cannot be made; none was$/, '$2 台设备中有 $1 台无法创建，因此全部未创建'],
  [/^batch (".*"): use at most (\d+) letters, digits, and (.*)$/, '批次 $1 不合法：最多 $2 个字符，只能包含字母、数字和 $3'],
  [/^a batch has at most (\d+) devices: make several$/, '一个批次最多 $1 台设备，请分多个批次创建'],
  [/^the name is longer than (\d+) (?:bytes|characters)$/, '名称过长，最多 $1 个字符'],
  [/^the nickname is longer than (\d+) bytes$/, '备注名称过长，最多 $1 字节'],
  [/^the description is longer than (\d+) characters$/, '描述过长，最多 $1 个字符'],
  [/^the note is longer than (\d+) bytes$/, '备注过长，最多 $1 字节'],
  [/^the secret is longer than (\d+) bytes$/, '密钥过长，最多 $1 字节'],
  [/^the secret has blanks or line ends around it$/, '密钥首尾有空格或换行'],
  [/^a OneNET key is Base64: copy it as the platform shows it$/, 'OneNET 的密钥是 Base64，请按平台显示的内容复制'],
  [/^tag (".*"): a name has no blanks and no =, name and value at most (\d+) bytes$/, '标签 $1 不合法：名称不含空格和 =，名称和值各最多 $2 字节'],
  [/^the old password is not right$/, '当前密码不正确'],
  [/^a password has at least (\d+) characters$/, '密码至少 $1 个字符'],
  [/^a password has at most (\d+) bytes$/, '密码最多 $1 字节'],
  [/^name (".*"): begin with a letter or digit; up to 64 .*$/, '用户名 $1 不合法：以字母或数字开头，最多 64 个字符，可含 . _ @ -'],
  [/^operator (".*") exists already$/, '用户 $1 已存在'],
  [/^name at least one property.*$/, '请至少填写一个属性'],
  [/^topic (".*") is too deep: with product and device it has more than (\d+) slashes$/, 'Topic $1 层级过多：含产品和设备在内最多 $2 个斜杠'],
  [/^topic (".*") is too long: with product and device it has more than (\d+) bytes$/, 'Topic $1 过长：含产品和设备在内最多 $2 字节'],
  [/^topic (".*") has wildcards: devices may only subscribe to it$/, 'Topic $1 含通配符，只能设为订阅'],
  [/^topic (".*"): levels are of letters.*$/, 'Topic $1 不合法：每级只能包含字母、数字和下划线，整级可用 +，最后一级可用 #'],
  [/^product (".*") has (\d+) topic classes; that is the most$/, '产品 $1 已有 $2 个 Topic 类，达到上限'],
  [/^the configuration is not JSON.*$/, '配置不是合法的 JSON'],
  [/^the configuration has (\d+) bytes, more than (\d+)$/, '配置有 $1 字节，超过上限 $2 字节'],
  [/^the script has none of the functions (.*)$/, '脚本中没有以下任何一个函数：$1'],
  [/^the script has (\d+) bytes, more than (\d+)$/, '脚本有 $1 字节，超过上限 $2 字节'],
  [/^the script cannot be compiled: (.*) \(line (\d+), column (\d+)\)$/, '脚本无法编译：$1（第 $2 行第 $3 列）'],
  [/^version (".*") is not 1 to 64 .*$/, '版本号 $1 不合法：1 到 64 个字母、数字、点、连字符或下划线'],
  [/^module (".*") is not 1 to 64 .*$/, '模块名 $1 不合法：1 到 64 个字母、数字、点、连字符或下划线'],
  [/^the package has no file.*$/, '升级包中没有文件'],
  [/^the package is larger than (\d+) bytes.*$/, '升级包超过 $1 字节'],
  [/^no device of product (".*") has the tag (".*")$/, '产品 $1 下没有带标签 $2 的设备'],
  [/^column (".*") is not known: use (.*)$/, '无法识别列 $1，可用的列：$2'],
  [/^there are no devices behind the first line$/, '表头之后没有设备'],
  [/^the first line has to name the columns.*$/, '首行须为列名，例如 name,secret,nickname'],
  [/^product (".*") speaks plain MQTT, which knows no gateways$/, '产品 $1 使用标准 MQTT，不支持网关'],
  [/^these are (\d+) values, more than (\d+):.*$/, '共 $1 条数据，超过上限 $2 条，请缩短时间范围或减少属性'],
  [/^name or password is not right$/, '用户名或密码不正确'],
  [/^the session has ended: sign in again$/, '会话已结束，请重新登录'],
]

// inTheVisitorsLanguage is a sentence of the API as the page's language has it.
export function inTheVisitorsLanguage(sentence: string): string {
  if (!document.documentElement.lang.startsWith('zh')) return sentence
  for (const [english, chinese] of sentences) {
    if (english.test(sentence)) return sentence.replace(english, chinese)
  }
  return sentence
}
