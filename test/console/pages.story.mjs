// Every page in both languages: it opens by its link and by its address,
// complains of nothing, asks nobody else, and is usable for everybody.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, barriers, fine, languages, settled, signIn, visit } from './house.mjs'
import { pages, tabs } from './pages.mjs'

for (const language of Object.keys(languages)) {
  test(`every page (${language})`, async (t) => {
    const v = await visit({ language })
    const { page } = v
    await signIn(v)
    for (const p of pages) {
      await t.test(p.name, async () => {
        if (p[language]) await page.getByRole('menu').getByRole('link', { name: p[language], exact: true }).click()
        else await page.goto(address + p.path)
        await page.waitForURL((url) => url.pathname === p.path) // a page may add to its address what it chose
        await settled(page)
        assert.ok(await page.getByRole('heading').count() > 0, 'a page has a heading')
        assert.deepEqual(v.faults.splice(0), [])
      })
    }
    await fine(v)
  })
}

const looks = {
  'in the light': { language: 'en' },
  'on a phone in the dark': { language: 'zh', width: 390, height: 844, dark: true },
}

for (const [look, how] of Object.entries(looks)) {
  test(`every page ${look}: usable for everybody, and nothing is wider than the screen`, async (t) => {
    const v = await visit(how)
    const { page } = v
    await signIn(v)
    for (const p of [...pages, ...tabs]) {
      await t.test(p.name, async () => {
        await page.goto(address + p.path)
        await settled(page)
        assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth))
        assert.deepEqual(await barriers(page), [])
        assert.deepEqual(v.faults.splice(0), [])
      })
    }
    await fine(v)
  })
}
