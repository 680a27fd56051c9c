// A simulated device is told something from its page, and obeys. The language
// changes on the way.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, fine, settled, signIn, visit } from './house.mjs'

const path = '/products/a1DemoLight/devices/light01'

test('a set is obeyed: the reply is seen, and the value moves', async () => {
  const latest = async () => (await ask('GET', `${path}/properties`)).items.find((l) => l.property === 'NightLightSwitch')?.value
  const v = await visit()
  const { page } = v
  await signIn(v)
  await page.goto(`${address}/devices/a1DemoLight/light01?tab=commands`)
  await settled(page)
  const wanted = (await latest()) === 1 ? ['关闭 (0)', '关闭'] : ['开启 (1)', '开启']
  await page.getByRole('combobox', { name: /夜灯开关/ }).click()
  await page.locator('.ant-select-item-option', { hasText: wanted[0] }).click()
  await page.getByRole('button', { name: '中文' }).click()
  assert.equal(await page.locator('.ant-select', { hasText: wanted[0] }).count(), 1, 'what was chosen stays when the language changes')
  await page.getByRole('button', { name: /^设\s?置/ }).first().click()
  await page.locator('.ant-alert-success', { hasText: '设备已应答' }).waitFor()
  await page.locator('.ant-table-row', { hasText: '设备已应答' }).first().waitFor()
  await page.getByRole('tab', { name: '属性', exact: true }).click()
  await page.locator('.ant-card', { hasText: 'NightLightSwitch' }).getByText(wanted[1]).waitFor()
  await fine(v)
})
