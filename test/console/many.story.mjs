// A visitor finds devices among many as the words are typed, and changes all
// that match, also those on pages that are not shown.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, fine, settled, signIn, visit } from './house.mjs'

test('all that match are tagged and deleted', async () => {
  await ask('POST', '/products', { key: 'a1Many', name: 'Many', dialect: 'aliyun' })
  await ask('POST', '/products/a1Many/devices/batch', { devices: Array.from({ length: 130 }, (_, i) => ({ name: `many-${1000 + i}`, nickname: i < 120 ? '灯' : 'pump' })) })
  const v = await visit({})
  const { page } = v
  await signIn(v)
  await page.goto(`${address}/devices?product=a1Many`)
  await page.getByText('1–50 of 130').waitFor()
  await page.getByRole('button', { name: 'Next' }).click()
  await page.getByText('51–100 of 130').waitFor()
  await page.getByPlaceholder('DeviceName or nickname').pressSequentially('灯') // nobody presses Enter
  await page.getByText('1–50 of 120').waitFor()
  await settled(page)
  await page.locator('thead').getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Choose all 120 that match' }).click()
  await page.getByRole('button', { name: 'Tags' }).click()
  const tags = page.getByRole('dialog', { name: 'Tags of 120 devices' })
  await tags.getByLabel('Set these').fill('room=7')
  await tags.getByLabel('Set these').press('Enter')
  await tags.getByRole('button', { name: 'Change the tags' }).click()
  await page.getByText('Done for 120 devices').waitFor()
  assert.equal((await ask('GET', '/devices/count?tag=room%3D7&product=a1Many')).count, 120)

  // Tags are how devices are grouped: those in use are offered.
  await page.goto(`${address}/devices?product=a1Many`)
  await page.getByText('1–50 of 130').waitFor()
  await page.getByRole('combobox', { name: 'Tag, or tag=value' }).fill('roo')
  await page.locator('.ant-select-item-option', { hasText: 'room=7 · 120' }).click()
  await page.getByText('1–50 of 120').waitFor()
  assert.match(page.url(), /tag=room%3D7/)
  await page.goto(`${address}/devices?product=a1Many&text=灯`)
  await page.getByText('1–50 of 120').waitFor()

  // What somebody else does shows without being asked for.
  await ask('POST', '/products/a1Many/devices', { name: 'many-0000', nickname: '灯' })
  await page.getByText('1–50 of 121').waitFor()
  await page.getByRole('link', { name: 'many-0000' }).waitFor()

  await page.locator('thead').getByRole('checkbox').check()
  await page.getByRole('button', { name: 'Choose all 121 that match' }).click()
  await page.getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
  await page.getByText('Done for 121 devices').waitFor()
  assert.equal((await ask('GET', '/devices/count?product=a1Many')).count, 10)
  await fine(v)
  await ask('DELETE', '/products/a1Many?force=true')
})
