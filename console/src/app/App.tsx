import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { App as AntApp, ConfigProvider, theme } from 'antd'
import enUS from 'antd/locale/en_US'
import zhCN from 'antd/locale/zh_CN'
import { useMemo, useState } from 'react'
import { RouterProvider } from 'react-router/dom'
import { onSignedOut, Problem } from '../api/client'
import { firstLanguage, keepLanguage, LanguageContext, type Language } from '../i18n/texts'
import { router } from './routes'
import { ThemeContext, useTheme } from './theme'

const cache = new QueryClient({
  defaultOptions: {
    // The server may well be on this machine: whether there is an internet is no
    // reason to ask it or not.
    mutations: { networkMode: 'always' },
    queries: {
      networkMode: 'always',
      refetchOnWindowFocus: false,
      retry: (count, error) => count < 2 && !(error instanceof Problem),
    },
  },
})
onSignedOut(() => cache.setQueryData(['me'], null))

// seventh is the shade of a colour that tags write with; antd knows it by two
// names, of which either may win.
const seventh = (colour: string, shade: string) => ({ [`${colour}7`]: shade, [`${colour}-7`]: shade })

// contrast is where antd's own colours are too pale to be read by everybody: it
// wants 4.5 to 1 [WCAG 2.2 §1.4.3].
const contrast = {
  light: {
    controlItemBgActive: '#e2f1f6', colorPrimaryHover: '#0d7a9f', colorLink: '#0b6e8f', colorLinkHover: '#095a75', colorInfo: '#0958d9', colorSuccess: '#237804', colorSuccessBg: '#f6ffed', colorError: '#cf1322', colorErrorBg: '#fff2f0', colorWarning: '#ad4e00', colorWarningBg: '#fffbe6',
    ...seventh('green', '#237804'), ...seventh('orange', '#ad4e00'), ...seventh('gold', '#874d00'), ...seventh('cyan', '#006d75'), ...seventh('red', '#cf1322'), ...seventh('volcano', '#ad2102'), ...seventh('lime', '#3f6600'),
    colorTextDescription: '#00000099', colorTextTertiary: '#00000099', colorTextPlaceholder: '#0000008c',
  },
  dark: { controlItemBgActive: '#12303b', colorLink: '#5fb8d6', colorLinkHover: '#8fd3ea', colorInfo: '#5a9dff', colorError: '#ff7072', ...seventh('purple', '#ab7ae0'), ...seventh('geekblue', '#7f9ef3'), ...seventh('magenta', '#e0529c'), colorTextDescription: '#ffffffa6', colorTextTertiary: '#ffffffa6', colorTextPlaceholder: '#ffffff8c' },
}

// choose changes the language. What the API said in the other one is asked for
// again.
function choose(l: Language, set: (l: Language) => void) {
  keepLanguage(l)
  set(l)
  void cache.invalidateQueries()
}

export function App() {
  const [language, setLanguage] = useState<Language>(firstLanguage)
  const look = useTheme()
  const chosen = useMemo(() => ({ language, choose: (l: Language) => choose(l, setLanguage) }), [language])
  return (
    <LanguageContext.Provider value={chosen}>
      <ThemeContext.Provider value={look}>
        <ConfigProvider
          locale={language === 'zh' ? zhCN : enUS}
          theme={{
            algorithm: look.dark ? theme.darkAlgorithm : theme.defaultAlgorithm,
            token: { colorPrimary: '#0b6e8f', borderRadius: 6, motion: !look.still, ...contrast[look.dark ? 'dark' : 'light'] },
            components: look.dark
              ? { Button: { dangerColor: '#2a0506', defaultHoverColor: '#6cc3df', defaultHoverBorderColor: '#6cc3df', defaultActiveColor: '#8fd3ea', defaultActiveBorderColor: '#8fd3ea' }, Menu: { itemSelectedBg: '#12303b', itemSelectedColor: '#6cc3df' }, Tabs: { itemSelectedColor: '#6cc3df', itemHoverColor: '#8fd3ea', inkBarColor: '#6cc3df' } }
              : { Menu: { itemSelectedBg: '#e2f1f6', itemSelectedColor: '#0b6e8f' }, Table: { rowSelectedBg: '#e2f1f6', rowSelectedHoverBg: '#d3e9f1' } },
          }}
        >
          <AntApp style={{ height: '100%' }}>
            <QueryClientProvider client={cache}>
              <RouterProvider router={router} />
            </QueryClientProvider>
          </AntApp>
        </ConfigProvider>
      </ThemeContext.Provider>
    </LanguageContext.Provider>
  )
}
