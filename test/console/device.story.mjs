// A device's page: its curves over any span, what is wanted of it beside what it
// is, and what it says where there is nothing to show.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loginOf, needsMosquitto, publish } from './clients.mjs'
import { address, ask, barriers, fine, settled, signIn, visit } from './house.mjs'

async function device(path, options) {
  const v = await visit(options)
  await signIn(v)
  await v.page.goto(`${address}/devices/${path}`)
  await settled(v.page)
  return v
}

test('curves of a span of one’s own, and what they say where there is none', async () => {
  const v = await device('a1DemoLight/light01?tab=curves')
  const { page } = v
  const curve = page.locator('main canvas').first()
  await curve.waitFor()
  assert.deepEqual(await barriers(page), [])
  await page.getByText('Other', { exact: true }).click()
  await page.getByLabel('From').fill('2020-01-01T00:00:00')
  await page.getByLabel('to', { exact: true }).fill('2020-01-02T00:00:00')
  await page.getByText('Nothing in this time').waitFor()
  await page.getByLabel('to', { exact: true }).fill('2019-01-02T00:00:00')
  await page.getByText('The end is before the beginning.').waitFor()
  await page.getByLabel('to', { exact: true }).fill('2090-01-02T00:00:00')
  await curve.waitFor()
  await page.getByRole('link', { name: 'Export CSV' }).waitFor()
  await fine(v)
})

test('a visitor whose clock is wrong sees the last hour nevertheless', async () => {
  for (const by of [3_600_000, -3_600_000]) {
    const v = await visit()
    await v.page.addInitScript((by) => {
      const right = Date.now
      Date.now = () => right() + by
    }, by)
    await signIn(v)
    await v.page.goto(`${address}/devices/a1DemoLight/light01?tab=curves`)
    await v.page.locator('main canvas').first().waitFor()
    await v.page.getByRole('link', { name: 'Export CSV' }).waitFor()
    await fine(v)
  }
})

test('names, numbers and texts of any length stay within the page', { skip: needsMosquitto }, async () => {
  const product = 'a1Wide'
  const name = '很长的属性名称'.repeat(5).slice(0, 30)
  const kinds = ['double', 'text']
  const properties = Array.from({ length: 30 }, (_, i) => ({ id: `P${i}`, name: `${name}${i}`, access: 'read-only', type: { kind: kinds[i % 2], ...(i % 2 && { length: 10240 }) } }))
  await ask('POST', '/products', { key: product, name, dialect: 'aliyun' })
  await ask('PUT', `/products/${product}/model?format=matou`, { properties })
  await ask('POST', `/products/${product}/devices`, { name: 'w', nickname: name })
  publish(await loginOf(product, 'w'), `/sys/${product}/w/thing/event/property/post`, JSON.stringify({ id: '1', version: '1.0', params: { P0: 123456789012345.6, P1: 'x'.repeat(9000) }, method: 'thing.event.property.post' }))
  const v = await device(`${product}/w`, { width: 390, height: 844 })
  const { page } = v
  await page.getByText('123456789012345.6').waitFor()
  for (const tab of ['values', 'curves', 'commands', 'timeline']) {
    await page.goto(`${address}/devices/${product}/w?tab=${tab}`)
    await settled(page)
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth), `${tab} is wider than a phone`)
  }
  await page.goto(`${address}/devices/${product}/w`)
  await settled(page)
  const card = page.locator('.ant-card').filter({ hasText: 'P1' }).first()
  assert.ok((await card.boundingBox()).height < 300, 'a long text is cut short')
  await page.getByRole('searchbox', { name: 'Name or identifier' }).fill('p29')
  await page.waitForFunction(() => document.querySelectorAll('main .ant-card').length === 1)
  await fine(v)
})

test('who looks closely gets finer steps', async () => {
  const v = await device('a1DemoLight/light01?tab=curves')
  const { page } = v
  const curve = page.locator('main canvas').first()
  await curve.waitFor()
  const again = page.waitForRequest((r) => r.url().includes('/history?') && r.url().includes('&to='))
  await curve.hover()
  for (let turn = 0; turn < 12; turn++) await page.mouse.wheel(0, -300)
  const query = new URL((await again).url()).searchParams
  assert.ok(Date.parse(query.get('to')) > Date.parse(query.get('from')))
  await fine(v)
})

test('what is wanted stands beside what is: properties, shadow and image', async () => {
  await ask('POST', '/products/a1DemoLight/devices/my-light/desired', { values: { NightLightSwitch: 1 } })
  const v = await device('a1DemoLight/my-light?tab=desired')
  const { page } = v
  assert.deepEqual(await barriers(page), [])
  await page.getByRole('row', { name: /NightLightSwitch/ }).getByText('waits for the device').waitFor()
  await page.getByRole('button', { name: 'Take away NightLightSwitch' }).click()
  await page.getByText('Nothing is desired of this device.').waitFor()
  await page.getByRole('button', { name: 'Change what is desired' }).click()
  const form = page.getByRole('dialog')
  const wanted = form.getByRole('textbox')
  for (const bad of ['', '[1]', '{"a": }', '{}']) {
    await wanted.fill(bad)
    await form.getByRole('button', { name: 'Set' }).click()
    await form.getByText('This is no JSON object').waitFor()
  }
  await wanted.fill('{"colour": "red", "level": 3}')
  await form.getByRole('button', { name: 'Set' }).click()
  await page.getByRole('row', { name: /colour.*red/ }).getByText('waits for the device').waitFor()
  assert.equal((await ask('GET', '/products/a1DemoLight/devices/my-light/shadow')).desired.level.value, 3)
  await fine(v)
})

test('a OneNET device has an image, and nobody asks for its shadow', async () => {
  const v = await device('DemoSensor/my-sensor?tab=desired')
  const { page } = v
  await page.getByText('Device image').waitFor()
  await page.getByText('Nothing is desired of this device.').waitFor()
  await fine(v)
})

test('events are found by identifier, level and time, and the address keeps what is looked for', { skip: needsMosquitto }, async () => {
  const product = 'a1Events'
  await ask('POST', '/products', { key: product, dialect: 'aliyun' })
  await ask('PUT', `/products/${product}/model?format=matou`, { events: [{ id: 'Hot', name: 'Overheat', level: 'alert', output: [] }, { id: 'Hello', name: 'Greeting', level: 'info', output: [] }] })
  await ask('POST', `/products/${product}/devices`, { name: 'lamp' })
  const login = await loginOf(product, 'lamp')
  for (const event of ['Hot', 'Hello', 'Hot']) publish(login, `/sys/${product}/lamp/thing/event/${event}/post`, JSON.stringify({ id: '1', version: '1.0', params: {}, method: `thing.event.${event}.post` }))
  const v = await device(`${product}/lamp?tab=events`)
  const { page } = v
  const rows = page.locator('tbody tr.ant-table-row')
  const count = (n) => page.waitForFunction((n) => document.querySelectorAll('tbody tr.ant-table-row').length === n, n)
  await count(3)
  assert.deepEqual(await barriers(page), [])
  await page.getByText('info', { exact: true }).first().click()
  await count(1)
  await rows.getByText('Greeting').waitFor()
  await page.getByText('error', { exact: true }).click()
  await page.getByText('No event fits the filter.').waitFor()
  await page.getByText('All', { exact: true }).click()
  await page.getByRole('combobox', { name: 'Event' }).click()
  await page.getByText('Overheat · Hot').click()
  await count(2)
  await page.reload()
  await settled(page)
  await count(2)
  await page.getByText('Other', { exact: true }).click()
  await count(2)
  await page.getByLabel('to', { exact: true }).fill('2020-01-02T00:00:00')
  await page.getByText('The end is before the beginning.').waitFor()
  await page.getByLabel('From').fill('2020-01-01T00:00:00')
  await page.getByText('No event fits the filter.').waitFor()
  await fine(v)
})

test('a device or product that is not there says so and leads on', async () => {
  const v = await visit({ expects: [404] })
  const { page } = v
  await signIn(v)
  for (const [path, says, to] of [['devices/a1DemoLight/none', 'there is no device "a1DemoLight/none"', 'Devices'], ['products/none', 'there is no product "none"', 'Products']]) {
    await page.goto(`${address}/${path}`)
    await page.getByText(says).waitFor()
    await page.locator('main').getByRole('link', { name: to }).click()
    await page.getByRole('heading', { name: to }).waitFor()
  }
  await fine(v)
})

test('on a phone the facts of a device stand aside until they are wanted', async () => {
  const v = await device('a1DemoLight/light01', { language: 'zh', width: 390, height: 844 })
  const { page } = v
  assert.equal(await page.getByText('ClientId').count(), 0)
  await page.getByRole('button', { name: '显示设备信息' }).click()
  await page.getByText('ClientId').waitFor()
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390)
  assert.deepEqual(await barriers(page), [])
  await fine(v)
})

test('a value that a type does not allow is told, not changed', async () => {
  await ask('POST', '/products', { key: 'a1Bounds', name: 'Bounds', dialect: 'aliyun' })
  const number = (id, type) => ({ id, name: id, access: 'read-write', required: false, type })
  await ask('PUT', '/products/a1Bounds/model', {
    properties: [number('Level', { kind: 'int32', min: 1, max: 10 }), number('Label', { kind: 'text', length: 6 }), number('Spot', { kind: 'struct', fields: [{ id: 'x', name: 'x', required: false, type: { kind: 'int32' } }] })],
    events: [], services: [],
  })
  await ask('POST', '/products/a1Bounds/devices', { name: 'bounds01' })
  const v = await device('a1Bounds/bounds01?tab=commands')
  const { page } = v
  for (const [field, bad, why] of [['Level', '11', 'Not above 10'], ['Level', '0', 'Not below 1'], ['Level', '2.5', 'A whole number'], ['Label', '很长的', 'At most 6 bytes'], ['Spot', '{x', 'This is not JSON']]) {
    await page.getByLabel(field, { exact: true }).fill(bad)
    await page.getByRole('button', { name: 'Set', exact: true }).click()
    await page.getByText(why).waitFor()
    await page.getByLabel(field, { exact: true }).fill('')
  }
  await page.getByLabel('Level', { exact: true }).fill('7')
  await page.getByRole('button', { name: 'Set desired value' }).click()
  await page.getByText('Kept. The device is away').waitFor()
  assert.equal((await ask('GET', '/products/a1Bounds/devices/bounds01/desired')).items[0].value, 7)
  await fine(v)
})

test('a file of devices is read as spreadsheets write it, or refused with the reason', async () => {
  await ask('POST', '/products', { key: 'a1Sheets', name: 'Sheets', dialect: 'aliyun' })
  const v = await visit({ expects: [400] })
  const { page } = v
  await signIn(v)
  await page.goto(`${address}/devices?product=a1Sheets`)
  await settled(page)
  await page.getByRole('button', { name: 'Several devices' }).click()
  await page.getByRole('menuitem', { name: 'Import CSV' }).click()
  const form = page.getByRole('dialog')
  const give = (bytes) => form.locator('input[type=file]').setInputFiles({ name: 'devices.csv', mimeType: 'text/csv', buffer: Buffer.from(bytes) })
  await give([0x50, 0x4b, 3, 4, 0, 0])
  await form.getByText('This is no CSV').waitFor()
  assert.ok(await form.getByRole('button', { name: 'Import CSV' }).isDisabled())
  await give('name\nsheet01\nsheet01\n')
  await form.getByText('2 rows behind the first line').waitFor()
  await form.getByRole('button', { name: 'Import CSV' }).click()
  await form.getByText('Row 2 behind the first line').waitFor()
  await give([...Buffer.from('name,nickname\nsheet02,'), 0xce, 0xc2, 0xb6, 0xc8, 0x0a]) // GB 18030
  await form.getByText('1 row behind the first line').waitFor()
  await form.getByRole('button', { name: 'Import CSV' }).click()
  await page.getByText('1 device made').waitFor()
  assert.equal((await ask('GET', '/products/a1Sheets/devices/sheet02')).nickname, '温度')
  await fine(v)
})
