// The console as a visitor has it: Debian's Chromium, a page that is watched for
// whatever a visitor must never meet, and the words of both languages.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after } from 'node:test'
import assert from 'node:assert/strict'
import { chromium } from 'playwright-core'

export const address = process.env.MATOU_CONSOLE
export const password = process.env.MATOU_PASSWORD
const token = process.env.MATOU_TOKEN

export const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-dev-shm-usage'] })

// A visit that its story did not end is one that failed: what its visitor asked
// for, and what the page shows, is said.
const open = new Set()
after(async () => {
  for (const { page, faults, asked } of open) {
    const shown = await page.locator('body').ariaSnapshot().catch((e) => e.message)
    console.log(`left at ${page.url()}, faults ${JSON.stringify(faults)}, asked\n${asked.join('\n')}\nand saw\n${shown}`)
  }
  await browser.close()
})

// In is a language: how it is chosen, and what the frame says in it.
export const languages = {
  en: { locale: 'en-GB', lang: 'en', name: 'Name', password: 'Password', signIn: 'Sign in', signOut: 'Sign out', wrong: 'The name or the password is wrong.', other: '中文', notFound: 'There is no such page.' },
  zh: { locale: 'zh-CN', lang: 'zh-CN', name: '用户名', password: '密码', signIn: /登\s?录/, signOut: '退出登录', wrong: '用户名或密码不正确。', other: 'English', notFound: '没有这个页面。' },
}

// A page that never asks another machine for anything, never complains on its
// console, and breaks no rule of the content security policy. `faults` lists
// what it did nevertheless; answers of our own API that refuse are no faults
// where a story expects them. `at` is another way to the same Matou. Nothing
// slides or fades, unless a story is about motion: what moves is clicked beside.
export async function visit({ language = 'en', width = 1440, height = 900, dark = false, motion = false, expects = [], at = address } = {}) {
  const context = await browser.newContext({ locale: languages[language].locale, timezoneId: 'Asia/Shanghai', viewport: { width, height }, colorScheme: dark ? 'dark' : 'light', reducedMotion: motion ? 'no-preference' : 'reduce' })
  context.setDefaultTimeout(60_000)
  const faults = []
  await context.route('**/*', (route) => {
    const url = route.request().url()
    if (url.startsWith(at + '/') || url.startsWith('data:') || url.startsWith('blob:')) return route.continue()
    faults.push(`asked elsewhere: ${url}`)
    return route.abort()
  })
  const page = await context.newPage()
  page.on('console', (said) => {
    if (said.type() !== 'error' && said.type() !== 'warning') return
    const text = said.text()
    if (expects.some((status) => text.includes(`status of ${status}`))) return
    if (text.includes('status of 401') && said.location().url.endsWith('/api/v1/me')) return // nobody has signed in yet
    faults.push(`${said.type()} on ${new URL(page.url()).pathname}: ${text} (${said.location().url})`)
  })
  page.on('pageerror', (error) => faults.push(`broke on ${page.url()}: ${error.message}`))
  page.on('websocket', (socket) => {
    if (new URL(socket.url()).hostname !== new URL(address).hostname) faults.push(`asked elsewhere: ${socket.url()}`)
  })
  const asked = []
  page.on('response', (answer) => {
    const request = answer.request()
    if (request.method() !== 'GET') asked.push(`${request.method()} ${new URL(request.url()).pathname} ${request.postData() ?? ''} → ${answer.status()}`)
  })
  const visit = { page, context, faults, asked, at, words: languages[language] }
  open.add(visit)
  context.on('close', () => open.delete(visit))
  return visit
}

// fine says that a visit is over and nothing was amiss.
export async function fine(visit) {
  await visit.context.close()
  assert.deepEqual(visit.faults, [])
}

// signIn fills in the form; somebody else than the administrator is named.
export async function signIn({ page, at, words }, name = 'admin', secret = password) {
  await page.goto(at + '/')
  await page.getByLabel(words.name, { exact: true }).fill(name)
  await page.getByLabel(words.password, { exact: true }).fill(secret)
  await page.getByRole('button', { name: words.signIn }).click()
  await page.getByRole('button', { name, exact: true }).waitFor()
}

// ask speaks to the API beside the browser, as the story needs it.
export async function ask(method, path, body) {
  const response = await fetch(`${address}/api/v1${path}`, {
    method,
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
    body: body === undefined ? undefined : JSON.stringify(body),
  })
  const said = await response.text()
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${said}`)
  return said ? JSON.parse(said) : undefined
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

// barriers are what axe finds serious for people who do not see, hear or point
// as others do. What it finds is looked at again: a button that has just been
// enabled is between two colours.
export async function barriers(page) {
  await page.evaluate(axe)
  let found = []
  for (let look = 0; look < 3; look++) {
    await still(page)
    found = (await page.evaluate(() => window.axe.run({ resultTypes: ['violations'] }))).violations
      .filter((v) => v.impact === 'serious' || v.impact === 'critical')
    if (found.length === 0) break
  }
  return found.map((v) => `${new URL(page.url()).pathname} ${v.id}: ${v.help}\n${v.nodes.slice(0, 3).map((n) => `   ${n.html.slice(0, 200)} ${n.failureSummary?.split('\n')[1]?.trim() ?? ''}`).join('\n')}`)
}

// still waits until nothing fades in or slides any more: colours halfway are
// nobody's fault.
const still = (page) => page.evaluate(() => Promise.allSettled(
  document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Infinity).map((a) => a.finished),
))

// settled waits until a page shows what it has: nothing loads any more.
export async function settled(page) {
  await page.locator('main').waitFor()
  await page.waitForFunction(() => {
    const main = document.querySelector('main')
    return main.innerText.trim() !== '' && !main.querySelector('.ant-skeleton-active, .ant-spin-spinning')
  })
}
