// The console without a mouse.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, fine, settled, signIn, visit } from './house.mjs'

// at is where the keyboard is: whether that can be seen, and in what it is.
const at = (page) => page.evaluate(() => {
  const e = document.activeElement
  const style = getComputedStyle(e)
  const field = e.closest('input, textarea, .ant-select, .ant-input-affix-wrapper') !== null // their frame says it
  return {
    what: `${e.tagName} ${e.getAttribute('aria-label') ?? e.textContent?.slice(0, 40) ?? ''}`,
    nowhere: e === document.body, // in the frame of the browser itself
    seen: field || style.outlineStyle !== 'none' || style.boxShadow !== 'none',
    dialog: e.closest('[role=dialog]') !== null,
  }
})

test('Tab walks through each page, and one sees where it is', async (t) => {
  const v = await visit()
  const { page } = v
  await signIn(v)
  for (const path of ['/', '/products', '/devices', '/timeline', '/upgrades', '/gateways', '/factory', '/access', '/audit', '/settings']) {
    await t.test(path, async () => {
      await page.goto(address + path)
      await settled(page)
      const walked = new Set()
      for (let i = 0; i < 30; i++) {
        await page.keyboard.press('Tab')
        const here = await at(page)
        if (here.nowhere) break // past the end
        walked.add(here.what)
        assert.ok(here.seen, `${here.what} does not show that the keyboard is there`)
      }
      for (const link of ['A Matou', 'A Overview', 'A Settings']) assert.ok(walked.has(link), `${link} is not reached: ${[...walked].join(', ')}`)
      assert.ok(walked.size > 17, `nothing of the page itself is reached: ${[...walked].join(', ')}`)
    })
  }
  await fine(v)
})

test('a dialog keeps the keyboard and gives it back', async () => {
  const v = await visit()
  const { page } = v
  await signIn(v)
  for (const [path, name] of [['/access', 'Add operator'], ['/factory?product=a1DemoLight', 'Make a batch'], ['/upgrades?product=a1DemoLight', 'Upload a package']]) {
    await page.goto(address + path)
    await settled(page)
    await page.getByRole('button', { name }).focus()
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.waitForFunction(() => document.activeElement?.closest('[role=dialog]'))
    for (let i = 0; i < 15; i++) {
      await page.keyboard.press('Tab')
      const here = await at(page)
      assert.ok(here.dialog || here.nowhere, `${path}: the keyboard left the dialog for ${here.what}`)
    }
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'hidden' })
    await page.waitForFunction((label) => document.activeElement?.textContent === label, name)
  }
  await fine(v)
})
