// The thing model made by hand: every data type in the form, published, and
// read back through REST; vendor files with what they lose; nothing unsaved
// goes unnoticed.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, barriers, fine, settled, signIn, visit } from './house.mjs'

const text = (page, label) => page.getByRole('textbox', { name: label, exact: true })

// drawer is the one that is open.
const drawer = (page) => page.locator('.ant-drawer-open').last()

async function fill(within, fields) {
  for (const [label, value] of Object.entries(fields)) await within.getByLabel(label, { exact: true }).last().fill(String(value))
}

// choose takes a data type by the keyboard: what is typed leaves one in the list.
async function choose(page, within, label, word) {
  await within.getByLabel(label, { exact: true }).last().fill(word)
  await page.waitForFunction(() => [...document.querySelectorAll('.ant-select-item-option')].filter((o) => o.checkVisibility({ visibilityProperty: true })).length === 1)
  await page.keyboard.press('Enter')
}

async function open(language, key, { as = [], ...options } = {}) {
  const v = await visit({ language, ...options })
  await signIn(v, ...as)
  await v.page.goto(`${address}/products/${key}`)
  await settled(v.page)
  return v
}

// Of each kind: its word in the list, and what else is filled in.
const types = {
  i32: { word: '32-bit integer', fields: { Minimum: -5, Maximum: 5, Step: 1, Unit: '°C' }, want: { kind: 'int32', min: -5, max: 5, step: 1, unit: '°C', unitName: 'degree Celsius' } },
  i64: { word: '64-bit integer', fields: { Minimum: 0 }, want: { kind: 'int64', min: 0 } },
  f32: { word: 'single-precision', fields: { Maximum: 80.5, Step: 0.5 }, want: { kind: 'float', max: 80.5, step: 0.5 } },
  f64: { word: 'double-precision', fields: {}, want: { kind: 'double' } },
  flag: { word: 'two states', fields: { 'Text of 0 / false': 'off', 'Text of 1 / true': 'on' }, want: { kind: 'bool', labels: [{ value: 0, text: 'off' }, { value: 1, text: 'on' }] } },
  words: { word: 'characters', fields: { 'Greatest length (bytes)': 64 }, want: { kind: 'text', length: 64 } },
  when: { word: 'date and time', fields: {}, want: { kind: 'date' } },
  bits: { word: 'bits', fields: { 'Number of bits': 8 }, want: { kind: 'bitmap', length: 8 } },
}

test('every data type is made by the form, published and read back', async () => {
  await ask('POST', '/products', { key: 'formOneNET', name: 'By hand', dialect: 'onenet' })
  const v = await open('en', 'formOneNET')
  const { page } = v
  await page.getByText('This product has no thing model yet.').waitFor()
  assert.deepEqual(await barriers(page), [])
  const add = (what) => page.getByRole('button', { name: `New ${what}` }).click()
  const done = async () => {
    await drawer(page).getByRole('button', { name: 'Add', exact: true }).click()
    await page.locator('.ant-drawer-open').waitFor({ state: 'detached' })
  }

  for (const [id, { word, fields }] of Object.entries(types)) {
    await add('property')
    await fill(drawer(page), { Identifier: id, Name: `Name of ${id}` })
    await choose(page, drawer(page), 'Data type', word)
    await fill(drawer(page), fields)
    await page.keyboard.press('Tab') // a number counts once its field is left
    await done()
  }

  await add('property')
  await fill(drawer(page), { Identifier: 'mode' })
  await drawer(page).getByText('Report and set').click()
  await choose(page, drawer(page), 'Data type', 'one of a list')
  await fill(drawer(page), { 'Text of value 1': 'slow' })
  await drawer(page).getByRole('button', { name: 'Add value' }).click()
  await fill(drawer(page), { 'Value 2': 7, 'Text of value 2': 'fast' })
  await page.keyboard.press('Tab')
  assert.deepEqual(await barriers(page), [])
  await done()

  await add('property')
  await fill(drawer(page), { Identifier: 'track' })
  await choose(page, drawer(page), 'Data type', 'array')
  await fill(drawer(page), { 'Greatest number of elements': 10 })
  await choose(page, drawer(page), 'Type of the elements', 'several members')
  await drawer(page).getByRole('button', { name: 'Add member' }).click()
  await fill(drawer(page), { Identifier: 'lat' })
  await choose(page, drawer(page), 'Data type', 'double-precision')
  assert.deepEqual(await barriers(page), [])
  await done()

  await add('event')
  await fill(drawer(page), { Identifier: 'hot' })
  await drawer(page).getByText('Fault', { exact: true }).click()
  await drawer(page).getByRole('button', { name: 'Add parameter' }).click()
  await fill(drawer(page), { Identifier: 'at' })
  await done()

  await add('service')
  await fill(drawer(page), { Identifier: 'turn' })
  await drawer(page).getByText('Synchronous', { exact: true }).click()
  await drawer(page).getByRole('button', { name: 'Add parameter' }).first().click()
  await fill(drawer(page), { Identifier: 'angle' })
  await done()

  await page.getByText('This can be published.').waitFor()
  assert.deepEqual(await barriers(page), [])
  await page.getByRole('button', { name: 'Publish' }).click()
  await page.getByText('v1, published').waitFor()

  const { items: [{ model }], draft } = await ask('GET', '/products/formOneNET/models')
  assert.equal(draft, undefined)
  const kept = Object.fromEntries(model.properties.map((p) => [p.id, p]))
  for (const [id, { want }] of Object.entries(types)) {
    assert.deepEqual(kept[id].type, want)
    assert.equal(kept[id].name, `Name of ${id}`)
  }
  assert.deepEqual(kept.mode, { id: 'mode', name: '', access: 'read-write', required: false, type: { kind: 'enum', labels: [{ value: 0, text: 'slow' }, { value: 7, text: 'fast' }] } })
  assert.deepEqual(kept.track.type, { kind: 'array', size: 10, item: { kind: 'struct', fields: [{ id: 'lat', name: '', required: false, type: { kind: 'double' } }] } })
  assert.deepEqual(model.events, [{ id: 'hot', name: '', level: 'error', required: false, output: [{ id: 'at', name: '', required: false, type: { kind: 'int32' } }] }])
  assert.deepEqual(model.services, [{ id: 'turn', name: '', async: false, required: false, input: [{ id: 'angle', name: '', required: false, type: { kind: 'int32' } }], output: [] }])
  await fine(v)
})

test('mistakes are named at their field, changes are undone, and leaving asks first', async () => {
  await ask('POST', '/products', { key: 'formAliyun', name: 'Rules', dialect: 'aliyun' })
  const v = await open('en', 'formAliyun')
  const { page } = v
  await page.getByRole('button', { name: 'Temperature and humidity sensor' }).click()
  await page.getByText('All 4').waitFor()
  await page.getByRole('button', { name: 'New property' }).click()
  await drawer(page).getByRole('button', { name: 'Add', exact: true }).click()
  await drawer(page).getByText('An identifier is needed.').waitFor()
  await fill(drawer(page), { Identifier: 'Temperature' })
  await drawer(page).getByText('This identifier stands twice.').waitFor()
  await fill(drawer(page), { Identifier: 'Other', Minimum: 9, Maximum: 1 })
  await page.keyboard.press('Tab')
  await drawer(page).getByText('The maximum is below the minimum.').waitFor()
  assert.deepEqual(await barriers(page), [])
  await fill(drawer(page), { Maximum: 10, Module: 'outdoor' })
  await page.keyboard.press('Escape')
  await page.getByRole('button', { name: 'Go on editing' }).click()
  await drawer(page).getByRole('button', { name: 'Add', exact: true }).click()
  await page.getByText('outdoor:Other').first().waitFor()
  await page.getByRole('heading', { name: 'Module outdoor' }).waitFor()

  for (const what of ['Move up', 'Duplicate']) {
    await page.getByRole('button', { name: 'Actions on Humidity', exact: true }).click()
    await page.getByRole('menuitem', { name: what }).click()
    await page.getByRole('menuitem', { name: what }).waitFor({ state: 'hidden' })
  }
  await page.getByText('Humidity_2', { exact: true }).first().waitFor()
  await page.getByText('JSON', { exact: true }).click()
  const ids = async () => JSON.parse(await text(page, 'Thing model as JSON').inputValue()).properties.map((p) => p.id)
  assert.deepEqual(await ids(), ['Humidity', 'Humidity_2', 'Temperature', 'Interval', 'outdoor:Other'])
  await page.getByRole('button', { name: 'Undo' }).click()
  await page.getByRole('button', { name: 'Undo' }).click()
  assert.deepEqual(await ids(), ['Temperature', 'Humidity', 'Interval', 'outdoor:Other'])
  await page.getByRole('button', { name: 'Redo' }).click()
  assert.deepEqual((await ids())[0], 'Humidity')

  await text(page, 'Thing model as JSON').fill('{"properties": [\n  ,]}')
  await page.getByText('This is not JSON: line 2').waitFor()
  assert.ok(await page.getByRole('button', { name: 'Publish' }).isDisabled())
  await text(page, 'Thing model as JSON').fill('{"properties":[{"id":"a b","name":"","access":"read-only","required":false,"type":{"kind":"int32"}}],"events":[],"services":[]}')
  await page.getByText('Form', { exact: true }).click()
  await page.getByText('an identifier holds no blanks').waitFor() // the server's words, and the way to the field
  await page.getByRole('button', { name: 'Show' }).click()
  await drawer(page).getByText('No blanks, quotes, slashes, + or #.').waitFor()
  await drawer(page).getByRole('button', { name: 'Cancel' }).click()
  await page.locator('.ant-drawer-open').waitFor({ state: 'detached' })
  await page.getByText('JSON', { exact: true }).click()
  await text(page, 'Thing model as JSON').fill('{"properties":[{"identifier":"X","name":"x","accessMode":"r","dataType":{"type":"int","specs":{}}}]}')
  await page.getByText('Form', { exact: true }).click()
  await page.getByRole('button', { name: 'Actions on X' }).waitFor() // a vendor's text is a form, too
  await page.getByRole('link', { name: 'Devices', exact: true }).click()
  await page.getByText('Leave without saving?').waitFor()
  await page.getByRole('button', { name: 'Stay' }).click()
  await page.getByRole('button', { name: 'Save draft' }).click()
  await page.getByText('There is a draft that is not published.').waitFor()
  assert.equal((await ask('GET', '/products/formAliyun/models')).draft.model.properties[0].id, 'X')
  await page.getByRole('link', { name: 'Devices', exact: true }).click()
  await page.waitForURL('**/devices')
  await fine(v)
})

const withBits = JSON.stringify({
  properties: [
    { identifier: 'bits', name: 'bits', functionType: 'u', functionMode: 'property', accessMode: 'r', dataType: { type: 'bitMap', specs: { length: 8, define: [{ bit: 0, number0: 'off', number1: 'on' }] } } },
  ],
  events: [], services: [],
})

test('a vendor file shows what is not carried over, in and out, on a phone in the dark', async () => {
  await ask('POST', '/products', { key: 'formPhone', name: '导入', dialect: 'onenet' })
  const v = await open('zh', 'formPhone', { width: 390, height: 844, dark: true })
  const { page } = v
  await page.getByRole('main').getByRole('button', { name: /导\s?入/ }).first().click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('JSON 内容').fill(withBits)
  await dialog.getByText('识别为OneNET 格式：属性 1 个').waitFor()
  await dialog.getByText('properties[bits].dataType.specs.define').waitFor()
  assert.deepEqual(await barriers(page), [])
  await dialog.getByRole('button', { name: '载入编辑器' }).click()
  await page.getByRole('button', { name: 'bits 的操作' }).waitFor()
  await dialog.waitFor({ state: 'hidden' })
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth) <= 390)
  assert.deepEqual(await barriers(page), [])
  await page.getByRole('button', { name: 'bits', exact: true }).click()
  await drawer(page).getByLabel('位数').waitFor()
  assert.deepEqual(await barriers(page), [])
  await drawer(page).getByRole('button', { name: /取\s?消/ }).click()
  await page.locator('.ant-drawer-open').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: /导\s?出/ }).click()
  await dialog.getByText('全部内容均已转换').waitFor()
  await dialog.getByText('阿里云 TSL').click()
  await dialog.getByText('properties[bits].type.kind').waitFor()
  assert.deepEqual(await barriers(page), [])
  const [file] = await Promise.all([page.waitForEvent('download'), dialog.getByRole('button', { name: /下\s?载/ }).click()])
  assert.equal(file.suggestedFilename(), 'formPhone.aliyun.json')
  await page.keyboard.press('Escape')
  await fine(v)
})

test('a viewer sees all of a model and can change nothing', async () => {
  await ask('POST', '/operators', { name: 'modelreader', password: 'only reading 1234', role: 'viewer' })
  const v = await open('en', 'a1DemoLight', { as: ['modelreader', 'only reading 1234'] })
  const { page } = v
  await page.getByRole('button', { name: '闪烁' }).click()
  await drawer(page).getByRole('button', { name: 'Times' }).click()
  assert.equal(await drawer(page).getByLabel('Maximum').inputValue(), '20')
  assert.ok(await drawer(page).getByLabel('Maximum').isDisabled())
  assert.equal(await drawer(page).getByRole('button', { name: /Apply|Delete|Add/ }).count(), 0)
  assert.deepEqual(await barriers(page), [])
  await drawer(page).getByRole('button', { name: 'Close' }).last().click()
  await page.locator('.ant-drawer-open').waitFor({ state: 'detached' })
  assert.equal(await page.getByRole('button', { name: /^New (property|event|service)|Actions/ }).count(), 0)
  assert.ok(await page.getByRole('button', { name: 'Publish' }).isDisabled())
  await fine(v)
})
