// copyText puts a text on the clipboard. Browsers give pages without TLS no
// clipboard: there a field is filled and copied from.
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)
  const field = document.createElement('textarea')
  field.value = text
  field.style.position = 'fixed'
  field.style.opacity = '0'
  const place = document.querySelector('[role="dialog"]') ?? document.body // a dialog holds the focus
  place.append(field)
  field.select()
  document.execCommand('copy')
  field.remove()
}
