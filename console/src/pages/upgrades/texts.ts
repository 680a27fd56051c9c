import { texts } from '../../i18n/texts'

export const upgradeTexts = texts(
  {
    packages: 'Packages', jobs: 'Jobs', upload: 'Upload a package', version: 'Version', module: 'Module', source: 'Only from version', sourceHint: 'Of a difference: the version that it applies to', desc: 'Notes',
    method: 'Checked by', digest: 'Digest', file: 'Firmware file', choose: 'Choose a file', size: 'Size', made: 'Made', start: 'Upgrade devices', remove: 'Delete', cancel: 'Cancel', stop: 'Stop the upload', uploaded: 'The package is there.',
    sure: (v: string) => `Delete the package ${v}?`, noPackages: 'No packages. Upload the firmware, then bring it to devices with a job.', noJobs: 'No jobs. Choose a package and upgrade devices with it.',
    chosenDevices: (n: number) => `${n.toLocaleString('en')} chosen device${n === 1 ? '' : 's'}`, forChosen: (n: number) => `Choose a package for the ${n.toLocaleString('en')} device${n === 1 ? '' : 's'} that you chose.`,
    target: 'Which devices', all: 'All that fit', one: 'By name', tag: 'With a tag', percent: 'A share of them', names: 'DeviceNames', namesHint: 'Type or paste, separated by commas or line breaks', tagHint: 'NAME or NAME=VALUE', share: 'Share',
    confirm: 'Each device waits until it is confirmed here', dynamic: 'Also devices that report a version that fits later', overwrite: 'Take the place of an unfinished upgrade', protocol: 'Fetched by', http: 'HTTP', mqtt: 'MQTT in blocks',
    perMinute: 'Devices told in a minute', retries: 'Retries after a failure', timeout: 'Time-out', minutes: 'minutes', go: 'Start the job', more: 'More settings',
    job: 'Job', state: 'State', progress: 'Progress', devices: 'Devices', cancelJob: 'Cancel the job', sureJob: 'Cancel this job? Devices that have fetched the firmware already may still install it.',
    device: 'Device', updated: 'Last word', why: 'Said', actConfirm: 'Confirm', actRetry: 'Retry', actCancel: 'Cancel', live: 'live', back: 'All jobs', keep: 'Let it go on', anyState: 'All states', next: 'More devices', needRole: 'This needs the role operator.',
    states: { PLANNED: 'planned', COMPLETED: 'completed', CONFIRM: 'to be confirmed', QUEUED: 'queued', NOTIFIED: 'notified', IN_PROGRESS: 'under way', SUCCEEDED: 'succeeded', FAILED: 'failed', TIMED_OUT: 'timed out', CANCELED: 'canceled' } as Record<string, string>,
    of: (n: number, all: number) => `${n} of ${all}`,
  },
  {
    packages: '升级包', jobs: '升级批次', upload: '上传升级包', version: '版本号', module: '模块', source: '待升级版本', sourceHint: '差分包填写它所适用的版本号', desc: '描述',
    method: '签名算法', digest: '文件摘要', file: '固件文件', choose: '选择文件', size: '大小', made: '创建时间', start: '升级设备', remove: '删除', cancel: '取消', stop: '停止上传', uploaded: '升级包已上传。',
    sure: (v: string) => `确定删除升级包 ${v}？`, noPackages: '还没有升级包。先上传固件，再创建升级批次。', noJobs: '还没有升级批次。请选择升级包后升级设备。',
    chosenDevices: (n: number) => `已选 ${n.toLocaleString('zh-CN')} 个设备`, forChosen: (n: number) => `请为已选的 ${n.toLocaleString('zh-CN')} 个设备选择升级包。`,
    target: '升级范围', all: '全部设备', one: '定向升级', tag: '按标签', percent: '灰度升级', names: 'DeviceName', namesHint: '输入或粘贴，用逗号或换行分隔', tagHint: '标签名 或 标签名=值', share: '灰度比例',
    confirm: '设备升级前需在此确认', dynamic: '动态升级：之后上报符合版本的设备也升级', overwrite: '覆盖设备未完成的升级', protocol: '下载协议', http: 'HTTP', mqtt: 'MQTT 分块',
    perMinute: '每分钟推送设备数', retries: '失败重试次数', timeout: '升级超时', minutes: '分钟', go: '开始升级', more: '更多设置',
    job: '批次', state: '状态', progress: '进度', devices: '设备', cancelJob: '取消批次', sureJob: '确定取消该批次？已下载固件的设备仍可能完成升级。',
    device: '设备', updated: '最近更新', why: '说明', actConfirm: '确认', actRetry: '重试', actCancel: '取消', live: '实时', back: '全部批次', keep: '继续升级', anyState: '全部状态', next: '更多设备', needRole: '需要操作员权限。',
    states: { PLANNED: '待开始', COMPLETED: '已完成', CONFIRM: '待确认', QUEUED: '待推送', NOTIFIED: '已推送', IN_PROGRESS: '升级中', SUCCEEDED: '升级成功', FAILED: '升级失败', TIMED_OUT: '已超时', CANCELED: '已取消' },
    of: (n: number, all: number) => `${n} / ${all}`,
  },
)
