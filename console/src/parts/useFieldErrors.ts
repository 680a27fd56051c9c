import type { FormInstance } from 'antd'
import { useEffect } from 'react'
import { Problem } from '../api/client'

// useFieldErrors puts what the API says of a field at that field of a form, until
// it is asked again. A location such as "body.key" means the field "key".
export function useFieldErrors(form: FormInstance, error: unknown) {
  useEffect(() => {
    if (!(error instanceof Problem)) return
    const fields = error.errors.flatMap((e) => (e.location ? [{ name: e.location.replace(/^body\./, '').split('.'), errors: [e.message || error.detail] }] : []))
    form.setFields(fields)
    if (fields[0]) form.scrollToField(fields[0].name, { block: 'center' })
    return () => form.setFields(fields.map(({ name }) => ({ name, errors: [] })))
  }, [form, error])
}
