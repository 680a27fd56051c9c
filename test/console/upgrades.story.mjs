// Upgrades: from a file on the visitor's machine to a device that runs it.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { loginOf, raw } from './clients.mjs'
import { address, ask, barriers, fine, settled, signIn, visit } from './house.mjs'

const product = 'a1DemoLight'
const firmware = Buffer.from('firmware of the lamp\n'.repeat(500))
const file = (name, buffer) => ({ name, mimeType: 'application/octet-stream', buffer })

// words are what a visitor reads of it, in both languages.
const words = {
  en: { upload: 'Upload a package', version: 'Version', module: 'Module', source: 'Only from version', empty: 'file empty.bin is empty', same: /has a package of module default with version/, bad: /is not 1 to 64 letters/, itself: /a difference from version .* to itself is none/, there: 'The package is there.' },
  zh: { upload: '上传升级包', version: '版本号', module: '模块', source: '待升级版本', empty: '文件 empty.bin 是空的', same: /的模块 default 已有版本/, bad: /版本号 ".*" 不合法/, itself: /差分包的待升级版本不能与版本号/, there: '升级包已上传。' },
}

async function upgrades(options) {
  const v = await visit(options)
  await signIn(v)
  await v.page.goto(`${address}/upgrades?product=${product}`)
  await settled(v.page)
  return v
}

for (const language of Object.keys(words)) {
  test(`a package is uploaded, and what is wrong with it is said where it is (${language})`, async () => {
    const v = await upgrades({ language, expects: [400, 409] })
    const { page } = v
    const t = words[language]
    const version = language === 'en' ? '2.0.0' : '2.1.0'
    await page.getByRole('button', { name: t.upload }).click()
    const dialog = page.getByRole('dialog')
    const go = dialog.locator('.ant-modal-footer .ant-btn-primary')
    assert.ok(await go.isDisabled(), 'without a file nothing is uploaded')
    assert.deepEqual(await barriers(page), [])
    const choose = (f) => dialog.locator('input[type=file]').setInputFiles(f)
    const at = (label) => dialog.locator('.ant-form-item', { has: page.getByLabel(label, { exact: true }) }).locator('.ant-form-item-explain-error')

    await choose(file('empty.bin', Buffer.alloc(0)))
    await dialog.getByLabel(t.version, { exact: true }).fill(version)
    await go.click()
    await dialog.getByRole('alert').getByText(t.empty).waitFor()

    await choose(file('lamp.bin', firmware))
    await dialog.getByRole('alert').waitFor({ state: 'detached' })
    await dialog.getByLabel(t.version, { exact: true }).fill('two point oh!')
    await go.click()
    await at(t.version).getByText(t.bad).waitFor()
    await dialog.getByLabel(t.version, { exact: true }).fill(version)
    await dialog.getByLabel(t.source, { exact: true }).fill(version)
    await go.click()
    await at(t.source).getByText(t.itself).waitFor()
    await dialog.getByLabel(t.source, { exact: true }).fill('')
    await go.click()
    await page.getByText(t.there).waitFor()
    const row = page.getByRole('row').filter({ hasText: version })
    await row.getByText(createHash('md5').update(firmware).digest('hex').slice(0, 12)).waitFor()
    await row.getByText('10.3 KiB').waitFor()

    await page.getByRole('button', { name: t.upload }).click()
    await choose(file('lamp.bin', firmware))
    await dialog.getByLabel(t.version, { exact: true }).fill(version)
    await go.click()
    await at(t.version).getByText(t.same).waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'hidden' })
    await fine(v)
  })
}

test('an upload that breaks off leaves nothing, and is begun again', async () => {
  const v = await upgrades()
  const { page } = v
  const large = file('large.bin', Buffer.alloc(30 << 20, 'x'))
  const wire = await v.context.newCDPSession(page)
  const slow = (bytes) => wire.send('Network.emulateNetworkConditions', { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput: bytes })
  await page.getByRole('button', { name: 'Upload a package' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.locator('input[type=file]').setInputFiles(large)
  await dialog.getByLabel('Version', { exact: true }).fill('3.0.0')
  await slow(256 << 10)
  await dialog.getByRole('button', { name: 'Upload a package' }).click()
  await dialog.getByRole('progressbar').waitFor()
  await dialog.getByRole('button', { name: 'Stop the upload' }).click()
  await dialog.getByRole('progressbar').waitFor({ state: 'detached' })
  assert.deepEqual((await ask('GET', `/products/${product}/ota/packages?version=3.0.0`)).items, [])
  await slow(-1)
  await dialog.getByRole('button', { name: 'Upload a package' }).click()
  await page.getByText('The package is there.').waitFor()
  await page.getByRole('cell', { name: '30.0 MiB' }).waitFor()
  v.faults.splice(0) // that a request was given up
  await v.context.close()
})

test('a job brings a package to a device: told, under way, done; one fails and is tried again; one is cancelled', async () => {
  for (const name of ['up01', 'up02', 'up03']) await ask('POST', `/products/${product}/devices`, { name })
  const devices = {}
  for (const name of ['up01', 'up02']) {
    const d = (devices[name] = await raw(await loginOf(product, name)))
    d.says = (version) => d.publish(`/ota/device/inform/${product}/${name}`, JSON.stringify({ id: 1, params: { version } }))
    d.is = (step, desc = '') => d.publish(`/ota/device/progress/${product}/${name}`, JSON.stringify({ id: 2, params: { step: String(step), desc } }))
    await d.says('1.0.0')
  }
  const v = await upgrades({ expects: [400, 404] })
  const { page } = v
  await page.getByRole('row').filter({ hasText: '2.0.0' }).getByRole('button', { name: 'Upgrade devices' }).click()
  const dialog = page.getByRole('dialog')
  const go = () => dialog.getByRole('button', { name: 'Start the job' }).click()
  await dialog.getByLabel('DeviceNames').waitFor()
  await go()
  await dialog.locator('.ant-form-item-explain-error').first().waitFor() // names are missing
  await dialog.getByLabel('DeviceNames').fill('up01,nobody,')
  await go()
  await dialog.locator('.ant-form-item-explain-error').getByText(/there is no device/).waitFor()
  await page.keyboard.press('Backspace')
  await dialog.getByLabel('DeviceNames').focus()
  await page.keyboard.press('Backspace')
  await dialog.getByLabel('DeviceNames').fill('up02,up03,')
  const fold = dialog.getByRole('button', { name: 'More settings' })
  const told = dialog.getByLabel('Devices told in a minute')
  assert.equal(await fold.getAttribute('aria-expanded'), 'false', 'what was refused is not in the fold')
  await fold.click()
  await told.fill('99999')
  await fold.click()
  await told.waitFor({ state: 'hidden' })
  await go()
  await dialog.getByText('perMinute is from 1 to 10000').waitFor() // and what was folded is open
  await told.fill('600')
  assert.deepEqual(await barriers(page), [])
  await go()
  await dialog.waitFor({ state: 'hidden' })

  const row = (name) => page.getByRole('row').filter({ hasText: name })
  await row('up01').getByText('notified').waitFor()
  await row('up03').getByText('queued').waitFor()
  await page.getByText(/devices are told to fetch from http/).waitFor() // a note, in words
  await devices.up01.is(40)
  await row('up01').getByText('under way').waitFor()
  await row('up01').getByText('40%').waitFor()
  await devices.up02.is(-2, 'flash is full')
  await row('up02').getByText('failed', { exact: true }).waitFor()
  await row('up02').getByText(/flash is full/).waitFor()
  await row('up02').getByRole('button', { name: 'Retry' }).click()
  await row('up02').getByText('notified').waitFor()
  await devices.up01.is(100)
  await devices.up01.says('2.0.0')
  await row('up01').getByText('succeeded').waitFor()
  await page.getByText('1 of 3').waitFor()
  await devices.up02.says('2.0.0')
  await row('up02').getByText('succeeded').waitFor()
  await row('up03').getByRole('button', { name: 'Cancel' }).click()
  await row('up03').getByText('canceled').waitFor()
  await page.getByText('completed', { exact: true }).waitFor()
  assert.equal(await page.getByRole('button', { name: 'Cancel the job' }).count(), 0, 'what is over is not cancelled')
  await page.getByRole('button', { name: 'All jobs' }).click()
  await page.getByText('2 of 3').waitFor()
  for (const d of Object.values(devices)) await d.end()
  await fine(v)
})

test('a job is cancelled whole, and a package that it needs stays until then', async () => {
  const v = await upgrades({ language: 'zh', expects: [409] })
  const { page } = v
  const pack = () => page.getByRole('row').filter({ hasText: '3.0.0' })
  await pack().getByRole('button', { name: '升级设备' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('DeviceName').fill('up03,')
  await dialog.getByRole('button', { name: '开始升级' }).click()
  await page.getByRole('button', { name: '取消批次' }).waitFor()
  await page.getByRole('tab', { name: '升级包' }).click()
  await pack().getByRole('button', { name: /删\s?除/ }).click()
  await page.getByRole('tooltip').getByRole('button', { name: /删\s?除/ }).last().click()
  await page.getByText(/仍在使用此升级包，请先取消该批次/).waitFor()
  await page.getByRole('tab', { name: '升级批次' }).click()
  await page.getByRole('button', { name: '取消批次' }).click()
  await page.getByRole('tooltip').getByRole('button', { name: '取消批次' }).last().click()
  await page.getByText('已取消', { exact: true }).first().waitFor()
  await page.getByRole('tab', { name: '升级包' }).click()
  await pack().getByRole('button', { name: /删\s?除/ }).click()
  await page.getByRole('tooltip').getByRole('button', { name: /删\s?除/ }).last().click()
  await pack().waitFor({ state: 'detached' })
  await fine(v)
})

test('a viewer sees packages and jobs, and is told why he may not more', async () => {
  await ask('POST', '/operators', { name: 'onlooker', password: 'only looking 1234', role: 'viewer' })
  const v = await visit({ language: 'zh' })
  await signIn(v, 'onlooker', 'only looking 1234')
  await v.page.goto(`${address}/upgrades?product=${product}`)
  await settled(v.page)
  assert.ok(await v.page.getByRole('button', { name: '上传升级包' }).isDisabled())
  assert.equal(await v.page.getByRole('button', { name: '升级设备' }).count(), 0)
  await fine(v)
})
