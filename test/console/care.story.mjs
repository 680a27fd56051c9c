// A device's page: what an operator does to the device itself.
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { test } from 'node:test'
import { address, ask, fine, settled, signIn, visit } from './house.mjs'

const product = 'a1DemoLight'

async function device(name, tab = 'values', options) {
  const v = await visit(options)
  await signIn(v)
  await v.page.goto(`${address}/devices/${product}/${name}?tab=${tab}`)
  await settled(v.page)
  return v
}

test('nickname and tags are changed where they stand', async () => {
  await ask('POST', `/products/${product}/devices`, { name: 'care01', tags: { room: 'hall' } })
  const v = await device('care01')
  const { page } = v
  await page.getByRole('button', { name: 'Change nickname' }).click()
  await page.getByLabel('Nickname').fill('lamp of the hall')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'lamp of the hall' }).waitFor()
  await page.getByRole('button', { name: 'Change nickname' }).click()
  await page.getByLabel('Nickname').fill('nothing of it')
  await page.keyboard.press('Escape')
  await page.getByRole('heading', { name: 'lamp of the hall' }).waitFor()
  await page.getByRole('button', { name: 'Tag', exact: true }).click()
  await page.getByRole('textbox', { name: 'Tags' }).fill('floor=2')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Change tag floor' }).click()
  await page.getByRole('textbox', { name: 'Tags' }).fill('storey=3')
  await page.keyboard.press('Enter')
  await page.getByRole('button', { name: 'Change tag storey' }).waitFor()
  await page.getByRole('button', { name: 'Remove tag room' }).click()
  await page.getByRole('button', { name: 'Change tag room' }).waitFor({ state: 'detached' })
  const now = await ask('GET', `/products/${product}/devices/care01`)
  assert.deepEqual([now.nickname, now.tags], ['lamp of the hall', { storey: '3' }])
  await fine(v)
})

test('a device is disabled and enabled, gets another secret and is deleted, what comes of it said first', async () => {
  const v = await device('care01')
  const { page } = v
  const manage = async (name) => {
    await page.mouse.move(0, 0) // a hint of what was pressed last may stand over the button
    await page.getByRole('button', { name: 'Manage' }).click()
    await page.getByRole('menuitem', { name, exact: true }).click()
  }
  await manage('Disable')
  await page.getByRole('dialog').getByText('it is refused until it is enabled again').waitFor()
  await page.getByRole('dialog').getByRole('button', { name: 'Disable' }).click()
  await page.getByText('The device is disabled.').waitFor()
  assert.equal((await ask('GET', `/products/${product}/devices/care01`)).enabled, false)
  await manage('Enable')
  await page.getByText('The device may log in again.').waitFor()
  const before = (await ask('GET', `/products/${product}/devices/care01?secrets=true`)).secret
  await page.getByRole('button', { name: 'Show DeviceSecret' }).click()
  await page.getByText(before, { exact: true }).waitFor()
  await manage('New secret')
  const own = 'f'.repeat(32)
  await page.getByRole('dialog').getByRole('textbox').fill(own)
  await page.getByRole('dialog').getByRole('button', { name: 'New secret' }).click()
  await page.getByRole('dialog').getByText(own).waitFor()
  assert.equal((await ask('GET', `/products/${product}/devices/care01?secrets=true`)).secret, own)
  await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click()
  await page.getByRole('dialog').waitFor({ state: 'hidden' })
  await manage('Delete')
  const sure = page.getByRole('dialog')
  await sure.getByText('All it ever said goes').waitFor()
  await sure.getByRole('textbox').fill('care0')
  assert.ok(await sure.getByRole('button', { name: 'Delete' }).isDisabled())
  await sure.getByRole('textbox').fill('care01')
  await sure.getByRole('button', { name: 'Delete' }).click()
  await page.waitForURL('**/devices')
  await fine(v)
})

test('the timeline of a device is a part of its page', async () => {
  const v = await device('light01', 'timeline')
  const { page } = v
  await page.getByRole('switch', { name: 'Under watch' }).waitFor()
  await page.getByRole('button').filter({ hasText: '/thing/event/property/post' }).first().click()
  await page.getByText('Five layers of a message').waitFor()
  await fine(v)
})

test('the export of a curve holds the stored values', async () => {
  const v = await device('light01', 'curves')
  const { page } = v
  await page.getByText(/stored values of this range/).waitFor()
  const [saved] = await Promise.all([page.waitForEvent('download'), page.getByRole('link', { name: 'Export CSV' }).click()])
  assert.equal(saved.suggestedFilename(), 'light01.csv')
  const [head, ...rows] = (await readFile(await saved.path(), 'utf8')).trim().split('\n')
  assert.equal(head, 'time,property,value,record')
  const [time, property, value, record] = rows[0].split(',')
  const stored = await ask('GET', `/products/${product}/devices/light01/properties/${property}/history?order=asc&limit=1&from=${time}`)
  assert.deepEqual(stored.items.map((s) => [Date.parse(s.time), String(s.value), String(s.record)]), [[Date.parse(time), value, record]])
  await fine(v)
})

test('a Chinese page refuses in Chinese, at the field where there is one', async () => {
  await ask('POST', `/products/${product}/devices`, { name: 'away01' })
  const v = await device('away01', 'commands', { language: 'zh', expects: [400, 503] })
  const { page } = v
  await page.getByRole('button', { name: /^设\s?置$/ }).click()
  await page.getByRole('alert').getByText('请至少填写一个值。').waitFor()
  await page.getByLabel('夜灯开关').click()
  await page.locator('.ant-select-item-option').first().click()
  await page.getByRole('button', { name: /^设\s?置$/ }).click()
  await page.getByRole('alert').getByText(`设备 ${product}/away01 不在线`).waitFor()
  await page.goto(`${address}/devices?product=${product}`)
  await settled(page)
  await page.getByRole('button', { name: /添加设备/ }).first().click()
  await page.getByRole('dialog').getByLabel('DeviceName').fill('bad name')
  await page.locator('.ant-modal-footer .ant-btn-primary').click()
  await page.locator('.ant-form-item-explain-error').getByText(/DeviceName "bad name" 不合法/).waitFor()
  await page.goto(`${address}/products`)
  await settled(page)
  await page.getByRole('button', { name: /新建产品/ }).click()
  await page.locator('.ant-drawer').getByLabel('ProductKey', { exact: true }).fill('bad key!')
  await page.locator('.ant-drawer-footer .ant-btn-primary').click()
  const why = page.locator('.ant-drawer .ant-form-item-explain-error')
  await why.getByText(/ProductKey "bad key!" 不合法/).waitFor()
  await page.waitForFunction((e) => e.getBoundingClientRect().bottom < innerHeight, await why.elementHandle())
  await fine(v)
})
