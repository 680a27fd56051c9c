import { App, type FormInstance } from 'antd'
import { Problem } from '../api/client'
import { appTexts } from '../app/texts'
import { useTexts } from '../i18n/texts'

// fieldOf is the field of a form that a location such as "body.key" means.
export const fieldOf = (location?: string) => location?.replace(/^(body|query)\./, '').split(/[.[]/)[0]

// useRefusal tells a visitor why something was not done: at the fields of the
// form that the refusal names, else as otherwise has it, or as a message.
export function useRefusal(form?: FormInstance, otherwise?: (error: Error) => void) {
  const { message } = App.useApp()
  const t = useTexts(appTexts)
  return (error: Error) => {
    if (!(error instanceof Problem)) return otherwise ? otherwise(error) : void message.error(t.offline)
    const fields = form
      ? error.errors.flatMap((e) => {
          const name = fieldOf(e.location)
          return name && form.getFieldInstance(name) !== undefined ? [{ name, errors: [e.message ?? error.detail] }] : []
        })
      : []
    const [first] = fields
    if (form && first) {
      form.setFields(fields)
      form.scrollToField(first.name, { block: 'center' })
    }
    else if (otherwise) otherwise(error)
    else message.error(error.detail)
  }
}
