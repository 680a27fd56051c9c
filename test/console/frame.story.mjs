// The way in, the way out, and what stands around every page.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, barriers, fine, languages, password, signIn, visit } from './house.mjs'

for (const language of Object.keys(languages)) {
  test(`a wrong password is told, the right one opens the house, and one leaves (${language})`, async () => {
    const v = await visit({ language, expects: [401] })
    const { page, words } = v
    await page.goto(address + '/devices')
    assert.equal(await page.locator('html').getAttribute('lang'), words.lang)
    assert.deepEqual(await barriers(page), [])
    await page.getByLabel(words.name, { exact: true }).fill('admin')
    await page.getByLabel(words.password, { exact: true }).fill(`not ${password}`)
    await page.getByRole('button', { name: words.signIn }).click()
    await page.getByRole('alert').getByText(words.wrong).waitFor()
    await page.getByLabel(words.password, { exact: true }).fill(password)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'admin' }).waitFor()
    assert.equal(new URL(page.url()).pathname, '/devices', 'the page that was asked for opens after signing in')
    const [cookie] = await v.context.cookies()
    assert.ok(cookie.httpOnly && cookie.sameSite !== 'None', `the session's cookie is ${JSON.stringify(cookie)}`)
    await page.getByRole('button', { name: 'admin' }).click()
    await page.getByText(words.signOut).click()
    await page.getByLabel(words.password, { exact: true }).waitFor()
    await fine(v)
  })
}

test('language and look are chosen, and kept', async () => {
  const v = await visit()
  const { page } = v
  await signIn(v)
  await page.getByRole('button', { name: '中文' }).click()
  await page.getByRole('link', { name: '产品' }).waitFor()
  await page.getByRole('button', { name: '跟随系统' }).click()
  await page.getByText('深色').click()
  await page.waitForFunction(() => document.documentElement.style.colorScheme === 'dark')
  await page.reload()
  await page.getByRole('link', { name: '产品' }).waitFor()
  assert.equal(await page.evaluate(() => document.documentElement.style.colorScheme), 'dark')
  await fine(v)
})

test('an address without a page says so', async () => {
  const v = await visit()
  await signIn(v)
  await v.page.goto(address + '/nowhere')
  await v.page.getByText(v.words.notFound).waitFor()
  await fine(v)
})

test('a phone has the menu in a drawer, and nothing is wider than its screen', async () => {
  const v = await visit({ width: 390, height: 844 })
  const { page } = v
  await signIn(v)
  await page.getByRole('button', { name: 'Menu' }).click()
  await page.getByRole('link', { name: 'Devices' }).click()
  await page.waitForURL('**/devices')
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390)
  await fine(v)
})

test('the menu goes by the keyboard', async () => {
  const v = await visit()
  const { page } = v
  await signIn(v)
  await page.getByRole('link', { name: 'Products' }).focus()
  await page.keyboard.press('Enter')
  await page.waitForURL('**/products')
  await fine(v)
})

test('scripts come from files, and only from here', async () => {
  const { headers } = await fetch(address + '/')
  const policy = headers.get('content-security-policy') ?? ''
  assert.match(policy, /default-src 'self'/)
  const scripts = /script-src ([^;]*)/.exec(policy)?.[1] ?? "'self'"
  assert.doesNotMatch(scripts, /unsafe|\*|http/)
})

test('the first load is light', async () => {
  const v = await visit()
  const { page } = v
  await signIn(v)
  await page.close()
  const fresh = await v.context.newPage()
  const wire = await v.context.newCDPSession(fresh)
  await wire.send('Network.enable')
  await wire.send('Network.setCacheDisabled', { cacheDisabled: true })
  let bytes = 0
  wire.on('Network.loadingFinished', (done) => { bytes += done.encodedDataLength })
  const began = performance.now()
  await fresh.goto(address + '/')
  await fresh.getByRole('link', { name: 'Overview' }).waitFor()
  const took = performance.now() - began
  await fresh.waitForLoadState('load')
  console.log(`${Math.round(bytes / 1024)} KiB, ${Math.round(took)} ms`)
  assert.ok(bytes > 10_000 && bytes < 1.5e6, `${bytes} bytes were transferred`)
  assert.ok(took < 10_000, `the menu stood after ${took} ms`) // one second on an idle machine; this one may be busy
  await fine(v)
})

test('a viewer does not see what only administrators may, and the server holds him to it', async () => {
  await ask('POST', '/operators', { name: 'looker', password: 'only looking 1234', role: 'viewer' })
  const v = await visit({ expects: [403] })
  const { page } = v
  await signIn(v, 'looker', 'only looking 1234')
  await page.getByRole('link', { name: 'Products' }).waitFor()
  assert.equal(await page.getByRole('link', { name: 'Audit log' }).count(), 0)
  const status = await page.evaluate(async () => {
    const answer = await fetch('/api/v1/products', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: '{"name":"x","dialect":"aliyun"}' })
    return answer.status
  })
  assert.equal(status, 403)
  await fine(v)
})

test('nothing slides where the system asks for less motion', async () => {
  for (const [motion, moves] of [[true, true], [false, false]]) {
    const v = await visit({ motion })
    await signIn(v)
    const taken = await v.page.getByRole('button', { name: 'admin', exact: true }).evaluate((b) => getComputedStyle(b).transitionDuration)
    assert.equal(taken.split(',').some((d) => parseFloat(d) > 0), moves, `a button takes ${taken} for its colours`)
    await fine(v)
  }
})
