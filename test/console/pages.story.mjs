// Every page in both languages: it opens by its link and by its address,
// complains of nothing, asks nobody else, and is usable for everybody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, barriers, fine, languages, settled, signIn, visit } from './house.mjs'
import { pages } from './pages.mjs'

async function passable(page, { barriers: state }, t) {
  const found = await barriers(page)
  if (state === 'open') found.forEach((b) => t.diagnostic(`OPEN ${b}`))
  else assert.deepEqual(found, [])
}

for (const language of Object.keys(languages)) {
  test(`every page (${language})`, async (t) => {
    const v = await visit({ language })
    const { page } = v
    await signIn(v)
    for (const p of pages) {
      await t.test(p.name, async (st) => {
        if (p[language]) await page.getByRole('menu').getByRole('link', { name: p[language], exact: true }).click()
        else await page.goto(address + p.path)
        await page.waitForURL(address + p.path)
        await settled(page)
        assert.ok(await page.getByRole('heading').count() > 0, 'a page has a heading')
        await passable(page, p, st)
        assert.deepEqual(v.faults.splice(0), [])
      })
    }
    await fine(v)
  })
}

test('every page on a phone in the dark: nothing is wider than the screen', async (t) => {
  const v = await visit({ language: 'zh', width: 390, height: 844, dark: true })
  const { page } = v
  await signIn(v)
  for (const p of pages) {
    await t.test(p.name, async (st) => {
      await page.goto(address + p.path)
      await settled(page)
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390)
      await passable(page, p, st)
    })
  }
  await fine(v)
})
