import createClient, { type Middleware } from 'openapi-fetch'
import { heard } from './clock'
import type { components, paths } from './schema'

// Schemas are the types of the API by name.
export type Schemas = components['schemas']

// A Problem is what the API answers when it refuses: a sentence for people, and
// where the mistake is.
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly detail: string,
    readonly errors: { location?: string; message?: string }[],
  ) {
    super(detail)
  }
}

// An Unreachable is thrown where no answer came at all.
export class Unreachable extends Error {
  constructor() {
    super(visitorsLanguage() === 'zh' ? '无法连接到码头。' : 'Matou cannot be reached.')
  }
}

type Refusal = { title?: string; detail?: string; errors?: { location?: string; message?: string }[] }

let signedOut: () => void = () => undefined

// onSignedOut is called when the API no longer knows who we are.
export function onSignedOut(f: () => void) {
  signedOut = f
}

// refused reads what an answer that is no success says.
export function refused(status: number, statusText: string, body: string): Problem {
  let said: Refusal = {}
  try {
    said = JSON.parse(body) as Refusal
  } catch {
    // not JSON: a proxy between, or the server going down
  }
  return new Problem(status, said.detail ?? said.title ?? statusText, said.errors ?? [])
}

// visitorsLanguage is what the API is asked to say refusals in.
export function visitorsLanguage(): string {
  return document.documentElement.lang.startsWith('zh') ? 'zh' : 'en'
}

const problems: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', visitorsLanguage())
    return request
  },
  onError({ error }) {
    return error instanceof TypeError ? new Unreachable() : undefined
  },
  async onResponse({ response, request }) {
    heard(response.headers.get('Date'))
    if (response.ok) return undefined
    if (response.status === 401 && !request.url.endsWith('/session')) signedOut()
    throw refused(response.status, response.statusText, await response.clone().text())
  },
}

// api speaks REST as the OpenAPI description has it. A refusal is thrown as a
// Problem; `data` is there otherwise.
export const api = createClient<paths>({ baseUrl: location.origin })
api.use(problems)

// must is the answer of a call of api: refusals were thrown before.
export async function must<T>(call: Promise<{ data?: T }>): Promise<T> {
  return (await call).data as T
}
