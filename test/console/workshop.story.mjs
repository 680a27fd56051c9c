// The tools of the workshop, with what people really paste into them.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { barriers, address, ask, fine, settled, signIn, visit } from './house.mjs'

const product = 'a1DemoLight'

async function tool(name, options) {
  const v = await visit(options)
  await signIn(v)
  await v.page.goto(`${address}/workshop?tool=${name}`)
  await settled(v.page)
  return v
}

test('bytes are explained as they were read, out of a C source and by the megabyte', async () => {
  const v = await tool('explain', { expects: [400] })
  const { page } = v
  const text = page.getByLabel('Bytes in hex, as a log or a C source has them')
  const bytes = page.getByRole('img', { name: 'Bytes in hex' })
  const explain = () => page.getByRole('button', { name: /Explain$/ }).click()
  await text.fill('static const unsigned char ping[] = { 0xc0, 0x00 }; /* added later */')
  await explain()
  await page.getByText('PINGREQ').first().waitFor()
  assert.equal((await bytes.innerText()).replace(/\s/g, ''), 'c000')

  // Where the 01 comes from that the tutorial wonders at.
  await text.fill('30 92 01 ' + '41 '.repeat(146))
  await explain()
  await page.getByText('0x92: 18 × 1 = 18; bit 7 is 1: another byte follows').waitFor()
  await page.getByText('Together 146 bytes follow.').waitFor()

  for (const [wrong, sentence] of [['xyz', "hex at offset 0: 'x' is not a hexadecimal digit"], ['10 0', 'hex at offset 3: 1 digit, but a byte has two']]) {
    await text.fill(wrong)
    await explain()
    await page.getByText(sentence).waitFor()
  }
  await text.fill('30ff9f18000161' + '41'.repeat(397_000))
  await explain()
  await page.getByRole('button', { name: /Show more: \d+ bytes/ }).first().waitFor()
  await text.fill('c0'.repeat(600_000))
  await explain()
  await page.getByText('At most a million characters').waitFor()
  await fine(v)
})

test('a moment is read in every usual form, and nothing else is taken for one', async () => {
  const v = await tool('time')
  const { page } = v
  const text = page.getByLabel('Unix seconds or milliseconds, or a date')
  for (const said of ['1729065411', '1729065411000', '1729065411000000', '2024-10-16 15:56:51', '2024/10/16 15:56:51', '2024年10月16日 15:56:51', '2024-10-16T07:56:51Z']) {
    await text.fill(said)
    await page.getByText('2024-10-16T07:56:51.000Z').waitFor()
    assert.equal(await page.getByText('This is no time').count(), 0, said)
  }
  for (const said of ['', 'junk 5', '2024-13-45', '99999999999999999999999']) {
    await text.fill(said)
    await page.getByText('This is no time').waitFor()
  }
  await fine(v)
})

test('a login that failed at a vendor is judged by its secret', async () => {
  const v = await tool('doctor')
  const { page } = v
  await page.getByLabel('Client ID').fill('12345|securemode=3,signmethod=hmacsha1,timestamp=789|')
  await page.getByLabel('User name').fill('device&pk')
  await page.getByLabel('Password', { exact: true }).fill('fafd82a3d602b37fb0fa8b7892f24a477f851a15')
  await page.getByRole('button', { name: /Find the mistake$/ }).click()
  await page.getByText('there is no product', { exact: false }).first().waitFor()
  await page.getByLabel('Secret of the device, if it is not in this Matou').fill('secret')
  await page.getByRole('button', { name: /Find the mistake$/ }).click()
  await page.getByText('A login that works').waitFor()
  assert.deepEqual(await page.locator('mark').allInnerTexts(), ['4', '5'])
  await page.getByLabel('Password', { exact: true }).fill('fafd82a3d602b37fb0fa8b7892f24a477f851a14')
  await page.getByRole('button', { name: /Find the mistake$/ }).click()
  await page.getByText('This login is right').waitFor()
  await fine(v)
})

test('a recording is said again, as another device', async () => {
  const device = 'replayed01'
  await ask('POST', `/products/${product}/devices`, { name: device })
  const build = async (packet) => (await ask('POST', '/packets', packet)).hex
  const old = { product: 'a1JszCpjS61', device: 'NT35E_06011' }
  const talk = [
    await build({ type: 'CONNECT', clientId: `${old.product}.${old.device}|securemode=3,signmethod=hmacsha1|`, username: `${old.device}&${old.product}`, password: '00', keepAlive: 100 }),
    await build({ type: 'PUBLISH', qos: 1, id: 7, topic: `/sys/${old.product}/${old.device}/thing/event/property/post`, payload: '{"id":"9","version":"1.0","params":{"CurrentTemperature":12.5}}' }),
  ].join('\n')
  const v = await tool('replay', { expects: [400, 404] })
  const { page } = v
  await page.getByLabel('Or paste a log').fill('no hex at all')
  await page.getByRole('button', { name: 'Read it' }).click()
  await page.getByText('no MQTT in it').waitFor()
  await page.locator('input[type=file]').setInputFiles({ name: 'broken.pcap', mimeType: 'application/octet-stream', buffer: Buffer.from('d4c3b2a1020004000000000000000000', 'hex') })
  await page.getByText('the file ends inside').waitFor()
  await page.getByLabel('Or paste a log').fill(talk)
  await page.getByRole('button', { name: 'Read it' }).click()
  await page.getByText('2 packets', { exact: true }).waitFor()
  await page.getByRole('button', { name: 'Replay to this Matou' }).click()
  await page.getByText(`there is no device "${old.product}/${old.device}"`).or(page.getByText(/there is no (device|product)/)).first().waitFor()
  await page.getByLabel('Device', { exact: true }).click()
  await page.keyboard.type(device)
  await page.getByTitle(`${device} · ${product}`).click()
  await page.getByRole('button', { name: 'Replay to this Matou' }).click()
  await page.getByText(/^2 packets sent/).waitFor()
  await page.mouse.move(0, 0)
  assert.deepEqual(await barriers(page), [])
  await page.getByRole('link', { name: 'To the timeline' }).click()
  await page.getByRole('button', { name: /uplink.*property\/post/ }).first().waitFor()
  await fine(v)
})
