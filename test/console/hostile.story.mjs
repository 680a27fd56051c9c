// What others wrote is text wherever it is shown: devices and programs say the
// worst, by MQTT and by REST, and every page is opened.
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { loginOf, raw } from './clients.mjs'
import { address, ask, fine, settled, signIn, visit } from './house.mjs'

const product = 'a1Hostile'
const device = 'bad01'

// Markup, an address that is a program, the override that writes backwards, an
// escape of terminals, and the end of a C string.
const worst = '<img src=x onerror="window.hacked=1"><script>window.hacked=2</script>javascript:window.hacked=3 \u202Egnp.exe \u001b[31mred \u0000nul'
const part = worst.slice(0, 36)
const seen = worst.replace(/[\u0000-\u001F\u202A-\u202E]/g, '') // names have no others: the server refuses them
const long = worst + ' ' + 'wide'.repeat((64 << 10) / 4) // a word of 64 KiB
const sys = `/sys/${product}/${device}`

before(async () => {
  await ask('POST', '/products', { key: product, name: seen, desc: worst, dialect: 'aliyun', nodeType: 'gateway' })
  await ask('PUT', `/products/${product}/model`, {
    properties: [
      { id: 'Text', name: worst, desc: worst, access: 'read-write', type: { kind: 'text', length: 10240 } },
      { id: 'Level', name: 'Level', access: 'read-write', type: { kind: 'float', min: 0, max: 100, unit: part } },
    ],
    events: [{ id: 'Cry', name: worst, level: 'alert', output: [{ id: 'Words', name: worst, type: { kind: 'text', length: 10240 } }] }],
  })
  await assert.rejects(ask('POST', `/products/${product}/devices`, { name: device, nickname: part + '\u202E' }), /U\+202E/)
  await ask('POST', `/products/${product}/devices`, { name: device, nickname: part, tags: { room: part } })
  await ask('POST', `/products/${product}/topics`, { path: 'user/say', permission: 'publish', desc: part })
  await ask('POST', `/products/${product}/batches`, { name: 'b1', count: 2, note: part })
  await ask('POST', '/tokens', { name: part, role: 'viewer' })
  const login = await loginOf(product, device)
  const d = await raw(login)
  assert.ok(d.accepted, 'the device is let in')
  const said = (method, params) => JSON.stringify({ id: '1', version: '1.0', params, method })
  await d.publish(`${sys}/thing/event/property/post`, said('thing.event.property.post', { Text: worst + 'x'.repeat(9000), Level: 1 }))
  await d.publish(`${sys}/thing/event/property/post`, said('thing.event.property.post', { Text: worst, Level: 2, [worst]: worst }))
  await d.publish(`${sys}/thing/event/property/post`, said('thing.event.property.post', { Text: long }))
  await d.publish(`${sys}/thing/event/Cry/post`, said('thing.event.Cry.post', { Words: worst }))
  await d.publish(`${sys}/thing/event/property/post`, worst)
  await d.publish(`/${product}/${device}/user/say`, long)
  await d.publish(`/${product}/${device}/user/<script>window.hacked=4<`, worst)
  await d.publish(`/ota/device/inform/${product}/${device}`, JSON.stringify({ id: 1, params: { version: worst.slice(0, 60) } }))
  await d.publish(`/shadow/update/${product}/${device}`, JSON.stringify({ method: 'update', state: { reported: { [part]: worst } }, version: 1 }))
  await d.end()
  for (const who of [
    { clientId: worst.replaceAll('\u0000', ''), username: part, password: worst },
    { clientId: worst, username: `${part}&${product}`, password: worst },
    { clientId: `${device}|securemode=3,signmethod=${part}|`, username: `${device}&${product}`, password: worst },
    { clientId: 'x'.repeat(60_000), username: 'y'.repeat(60_000) + `&${product}`, password: part },
  ]) {
    const stranger = await raw({ ...login, ...who })
    assert.ok(!stranger.accepted, 'a stranger is let in')
    await stranger.end()
  }
})

const of = `product=${product}`
const places = [
  '/', '/products', `/products/${product}`, ...['script', 'topics', 'registration', 'config', 'settings'].map((tab) => `/products/${product}?tab=${tab}`), '/devices', `/devices?${of}`,
  ...['values', 'curves', 'events', 'commands', 'desired', 'topology', 'more', 'connect', 'timeline'].map((tab) => `/devices/${product}/${device}?tab=${tab}`),
  '/timeline', `/timeline?${of}&device=${device}`, '/bench', '/bench?tab=simulated', `/upgrades?${of}`, `/gateways?${of}`, `/factory?${of}`, '/access', '/account', '/audit',
]

// everyEntry opens what is in a timeline, each with all that is known of it.
async function everyEntry(page) {
  const entries = page.locator('main').getByRole('button').filter({ hasText: /a1Hostile|CONNECT|script/ })
  for (let i = 0, n = Math.min(await entries.count(), 12); i < n; i++) {
    await entries.nth(i).click()
    await settled(page)
    await page.keyboard.press('Escape')
    await page.locator('.ant-drawer-open').waitFor({ state: 'detached' })
  }
}

const wide = { width: 1440, height: 900 }
const phone = { width: 390, height: 844 }

test('what others wrote is text on every page, and breaks none', async (t) => {
  const v = await visit({ expects: [404], ...wide })
  const { page } = v
  page.on('dialog', (d) => { v.faults.push(`a dialog: ${d.message()}`); void d.dismiss() })
  await signIn(v)
  for (const place of places) {
    await t.test(place, async () => {
      await page.goto(address + place)
      await settled(page)
      if (place.includes('timeline')) await everyEntry(page)
      assert.equal(await page.evaluate(() => window.hacked), undefined)
      assert.equal(await page.locator('img[src="x"], main script, a[href^="javascript:"]').count(), 0)
      for (const screen of [wide, phone]) {
        await page.setViewportSize(screen)
        await page.waitForFunction(() => document.documentElement.scrollWidth <= window.innerWidth)
      }
      await page.setViewportSize(wide)
      assert.deepEqual(v.faults.splice(0), [])
    })
  }
  await fine(v)
})
