// The server goes away while pages are open, and comes back: they say so, and
// go on by themselves. Here it is the way to it that is cut.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, languages, password, settled, signIn, visit } from './house.mjs'
import { road } from './road.mjs'

const says = { en: 'Matou cannot be reached. This page tries again by itself.', zh: '无法连接到码头，页面会自动重试。' }

for (const language of Object.keys(languages)) {
  test(`an open page says that the server is away, and is live again when it is back (${language})`, async () => {
    const way = await road()
    const v = await visit({ language, at: way.at })
    const { page } = v
    await signIn(v)
    await page.goto(`${way.at}/devices/a1DemoLight/light01`)
    await settled(page)
    const live = page.getByText(language === 'zh' ? '实时' : 'live', { exact: true })
    await live.waitFor()
    await way.cut()
    await page.getByRole('status').getByText(says[language]).waitFor()
    assert.equal(await page.getByText('NightLightSwitch').count() > 0, true, 'what was known stays')
    await live.waitFor({ state: 'detached' })
    const nickname = `while away ${language}`
    await ask('PATCH', '/products/a1DemoLight/devices/light01', { nickname })
    await way.mend()
    await page.getByText(says[language]).waitFor({ state: 'detached' })
    await live.waitFor()
    await page.getByRole('heading', { name: nickname }).waitFor()
    await ask('PATCH', '/products/a1DemoLight/devices/light01', { nickname: '' })
    await way.cut()
    await v.context.close()
  })
}

test('what is done while the server is away says so, and a page that could not come is fetched later', async () => {
  const way = await road()
  const v = await visit({ at: way.at })
  const { page } = v
  await signIn(v)
  await page.goto(`${way.at}/factory?product=a1DemoLight`)
  await settled(page)
  await page.getByRole('button', { name: 'Make a batch' }).click()
  await way.cut()
  await page.getByRole('dialog').getByRole('button', { name: 'Make a batch' }).click()
  await page.getByText('Matou cannot be reached. Try again in a moment.').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click()
  await page.getByRole('menu').getByRole('link', { name: 'Workshop' }).click()
  await page.getByText('This page could not be loaded.').waitFor()
  await way.mend()
  await page.getByRole('heading', { name: 'Workshop' }).waitFor()
  await page.getByText(says.en).waitFor({ state: 'detached' })
  await way.cut()
  await v.context.close()
})

test('who tries to sign in while the server is away is told, and need not begin again', async () => {
  const way = await road()
  const v = await visit({ at: way.at })
  const { page, words } = v
  await page.goto(way.at + '/devices')
  await page.getByLabel(words.password, { exact: true }).fill(password)
  await way.cut()
  await page.getByRole('button', { name: words.signIn }).click()
  await page.getByRole('alert').getByText('Matou cannot be reached.').waitFor()
  await way.mend()
  await page.getByRole('button', { name: words.signIn }).click()
  await page.getByRole('button', { name: 'admin', exact: true }).waitFor()
  assert.equal(new URL(page.url()).pathname, '/devices')
  await way.cut()
  await v.context.close()
})

test('a browser without internet speaks to a server on the same machine', async () => {
  const v = await visit()
  const { page } = v
  await page.addInitScript(() => Object.defineProperty(navigator, 'onLine', { get: () => false }))
  await signIn(v)
  await page.goto(address + '/products')
  await page.getByText('a1DemoLight').first().waitFor()
  await v.context.close()
})

test('pages out of sight leave the few requests of a browser to those in sight', async () => {
  const v = await visit()
  await signIn(v)
  const hide = (page) => page.evaluate(() => {
    Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })
    document.dispatchEvent(new Event('visibilitychange'))
  })
  const pages = [v.page]
  for (let i = 0; i < 7; i++) {
    const page = pages.at(-1)
    await page.goto(`${address}/devices/a1DemoLight/light01`)
    await settled(page)
    await page.getByText('live', { exact: true }).waitFor()
    await hide(page)
    pages.push(await v.context.newPage())
  }
  await pages[0].getByText('live', { exact: true }).waitFor({ state: 'detached' })
  await pages[0].evaluate(() => {
    delete document.hidden
    document.dispatchEvent(new Event('visibilitychange'))
  })
  await pages[0].getByText('live', { exact: true }).waitFor()
  await v.context.close()
})
