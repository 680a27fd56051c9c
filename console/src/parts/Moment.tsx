import { useLanguage } from '../i18n/texts'

// useMoment writes times in the visitor's zone and language.
export function useMoment() {
  const { language } = useLanguage()
  const form = new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', { dateStyle: 'medium', timeStyle: 'medium' })
  return (time?: string | undefined) => (time ? form.format(new Date(time)) : '–')
}

export function Moment({ time }: { time?: string | undefined }) {
  const write = useMoment()
  return time ? <time dateTime={time}>{write(time)}</time> : <>–</>
}
