import { App, type FormInstance } from 'antd'
import { Problem } from '../api/client'
import { texts, useTexts } from '../i18n/texts'

const refusalTexts = texts({ offline: 'Matou cannot be reached.' }, { offline: '无法连接到码头。' })

// useRefusal tells a visitor why something was not done: at the fields of the
// form that the refusal names, else as a message.
export function useRefusal(form?: FormInstance) {
  const { message } = App.useApp()
  const t = useTexts(refusalTexts)
  return (error: Error) => {
    if (!(error instanceof Problem)) return void message.error(t.offline)
    const fields = form
      ? error.errors.flatMap((e) => {
          const name = e.location?.replace(/^(body|query)\./, '').split(/[.[]/)[0]
          return name && form.getFieldInstance(name) !== undefined ? [{ name, errors: [e.message ?? error.detail] }] : []
        })
      : []
    const [first] = fields
    if (form && first) {
      form.setFields(fields)
      form.scrollToField(first.name, { block: 'center' })
    }
    else message.error(error.detail)
  }
}
