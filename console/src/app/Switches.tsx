import { BulbOutlined } from '@ant-design/icons'
import { Button, Dropdown, Flex } from 'antd'
import { useContext } from 'react'
import { useLanguage, useTexts } from '../i18n/texts'
import { appTexts } from './texts'
import { ThemeContext } from './theme'

// Switches choose the language and the look.
export function Switches() {
  const t = useTexts(appTexts)
  const { language, choose } = useLanguage()
  const look = useContext(ThemeContext)
  return (
    <Flex gap={4}>
      <Button type="text" lang={language === 'zh' ? 'en' : 'zh-CN'} onClick={() => choose(language === 'zh' ? 'en' : 'zh')}>
        {t.language}
      </Button>
      <Dropdown
        trigger={['click']}
        menu={{
          selectable: true,
          selectedKeys: [look.choice],
          items: (['light', 'dark', 'system'] as const).map((key) => ({ key, label: t[key] })),
          onClick: ({ key }) => look.choose(key as 'light' | 'dark' | 'system'),
        }}
      >
        <Button type="text" icon={<BulbOutlined />} aria-label={t[look.choice]} />
      </Dropdown>
    </Flex>
  )
}
