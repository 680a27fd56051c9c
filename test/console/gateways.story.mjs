// Gateways: which devices they speak for, and what cannot be one of them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, barriers, fine, settled, signIn, visit } from './house.mjs'

const hall = 'a1HallGate01'
const lamp = 'a1HallLamps1'

const words = {
  en: { add: 'Add a sub-device', put: 'Add', device: 'Device', taken: /is a sub-device of gateway .* already/, itself: /its own/, foreign: /speaks/, permit: 'Permit joining', away: /gate-en is offline/, product: 'Product', unknown: 'there is no product "a1Nowhere"', remove: 'Remove', none: 'No sub-devices. Permit joining, or add one.' },
  zh: { add: '添加子设备', put: /^添\s?加$/, device: '设备', taken: /已是网关 .* 的子设备/, itself: /自己/, foreign: /协议/, permit: '允许入网', away: /gate-zh 不在线/, product: '产品', unknown: '产品 "a1Nowhere" 不存在', remove: /^移\s?除$/, none: '还没有子设备。可允许入网，或直接添加。' },
}

test('made for these stories', async () => {
  await ask('POST', '/products', { key: hall, name: 'Hall gateways', dialect: 'aliyun', nodeType: 'gateway' })
  await ask('POST', '/products', { key: lamp, name: 'Hall lamps', dialect: 'aliyun' })
  await ask('POST', '/products', { key: 'GateForeign', name: 'Of another vendor', dialect: 'onenet' })
  await ask('POST', `/products/${hall}/devices/batch`, { devices: [{ name: 'gate-en' }, { name: 'gate-zh' }, { name: 'gate-other' }] })
  await ask('POST', `/products/${lamp}/devices/batch`, { devices: [{ name: 'hall-en' }, { name: 'hall-zh' }, { name: 'hall-taken' }] })
  await ask('POST', '/products/GateForeign/devices', { name: 'hall-foreign' })
  await ask('POST', `/products/${hall}/devices/gate-other/subs`, { devices: [{ product: lamp, device: 'hall-taken' }] })
})

for (const [language, t] of Object.entries(words)) {
  test(`a sub-device is added and removed; what cannot be one is refused in the dialog (${language})`, async () => {
    const gate = `gate-${language}`
    const v = await visit({ language, expects: [400, 404, 409, 503] })
    await signIn(v)
    const { page } = v
    await page.goto(`${address}/gateways?product=${hall}`)
    await settled(page)
    await page.locator('.ant-select', { has: page.getByRole('combobox', { name: language === 'en' ? 'Gateway' : '网关' }) }).click()
    await page.getByRole('option', { name: gate }).or(page.locator('.ant-select-item-option', { hasText: gate })).last().click()
    await page.getByText(t.none).waitFor()
    await page.getByRole('button', { name: t.add }).click()
    const dialog = page.getByRole('dialog')
    const put = dialog.locator('.ant-modal-footer .ant-btn-primary')
    assert.ok(await put.isDisabled(), 'without a device nothing is added')
    assert.deepEqual(await barriers(page), [])
    const pick = async (name) => {
      const box = dialog.getByRole('combobox', { name: t.device })
      await box.fill(name)
      await page.locator('.ant-select-dropdown:not(.ant-select-dropdown-hidden) .ant-select-item-option', { hasText: `${name} ·` }).click()
      await put.click()
    }
    for (const [name, why] of [['hall-taken', t.taken], [gate, t.itself], ['hall-foreign', t.foreign]]) {
      await pick(name)
      await dialog.getByRole('alert').getByText(why).waitFor()
    }
    await pick(`hall-${language}`)
    await dialog.waitFor({ state: 'hidden' })
    const row = page.getByRole('row').filter({ hasText: `hall-${language}` })
    await row.waitFor()
    assert.deepEqual((await ask('GET', `/products/${hall}/devices/${gate}/subs`)).items.map((s) => s.device), [`hall-${language}`])

    await page.getByLabel(t.product, { exact: true }).last().fill('a1Nowhere')
    await page.getByRole('button', { name: t.permit }).click()
    await page.getByText(t.unknown).first().waitFor()
    await page.getByLabel(t.product, { exact: true }).last().fill('')
    await page.getByRole('button', { name: t.permit }).click()
    await page.getByText(t.away).waitFor()

    await row.getByRole('button', { name: t.remove }).click()
    await page.locator('.ant-popconfirm-buttons .ant-btn-dangerous').click()
    await page.getByText(t.none).waitFor()
    assert.deepEqual((await ask('GET', `/products/${hall}/devices/${gate}/subs`)).items ?? [], [])
    await fine(v)
  })
}
