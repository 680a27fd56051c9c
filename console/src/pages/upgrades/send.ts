import { refused, type Schemas, visitorsLanguage } from '../../api/client'

// send uploads a file and tells how far it is, 0 to 1, which fetch cannot.
export function send(path: string, file: Blob, far: (share: number) => void, stop: AbortSignal): Promise<Schemas['Package']> {
  return new Promise((resolve, reject) => {
    const r = new XMLHttpRequest()
    r.open('POST', path)
    r.setRequestHeader('Content-Type', 'application/octet-stream')
    r.setRequestHeader('Accept-Language', visitorsLanguage())
    r.upload.onprogress = (e) => e.lengthComputable && far(e.loaded / e.total)
    r.onerror = () => reject(new Error('offline'))
    r.onabort = () => reject(new DOMException('stopped', 'AbortError'))
    r.onload = () => {
      if (r.status < 300) resolve(JSON.parse(r.responseText) as Schemas['Package'])
      else reject(refused(r.status, r.statusText, r.responseText))
    }
    stop.addEventListener('abort', () => r.abort())
    r.send(file)
  })
}
