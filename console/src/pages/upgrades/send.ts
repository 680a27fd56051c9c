import { Problem, type Schemas } from '../../api/client'

// send uploads a file and tells how far it is, 0 to 1, which fetch cannot.
export function send(path: string, file: Blob, far: (share: number) => void, stop: AbortSignal): Promise<Schemas['Package']> {
  return new Promise((resolve, reject) => {
    const r = new XMLHttpRequest()
    r.open('POST', path)
    r.setRequestHeader('Content-Type', 'application/octet-stream')
    r.upload.onprogress = (e) => e.lengthComputable && far(e.loaded / e.total)
    r.onerror = () => reject(new Error('offline'))
    r.onabort = () => reject(new DOMException('stopped', 'AbortError'))
    r.onload = () => {
      let said: { detail?: string; errors?: { location?: string; message?: string }[] } = {}
      try {
        said = JSON.parse(r.responseText)
      } catch {
        // a proxy between
      }
      if (r.status < 300) resolve(said as unknown as Schemas['Package'])
      else reject(new Problem(r.status, said.detail ?? r.statusText, said.errors ?? []))
    }
    stop.addEventListener('abort', () => r.abort())
    r.send(file)
  })
}
