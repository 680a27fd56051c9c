// Somebody who has never seen Matou gets a device of his own online, and its
// curve on the screen.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connected, needsMosquitto, post, postTopic } from './clients.mjs'
import { address, fine, password, visit } from './house.mjs'

const mostClicks = 11

const model = { properties: [{ id: 'temperature', name: 'Temperature', access: 'read-only', type: { kind: 'float', min: -40, max: 120, unit: '°C' } }], events: [], services: [] }

test('from signing in to a curve that moves', { skip: needsMosquitto }, async () => {
  const v = await visit({ expects: [404] })
  const { page, words } = v
  let clicks = 0
  const click = async (place) => {
    clicks++
    await place.click()
  }
  await page.goto(address + '/')
  await page.getByLabel(words.name, { exact: true }).fill('admin')
  await page.getByLabel(words.password, { exact: true }).fill(password)
  await click(page.getByRole('button', { name: words.signIn }))

  // A product, with its model.
  await click(page.getByRole('link', { name: 'Products' }))
  await click(page.getByRole('button', { name: 'New product' }))
  await page.getByRole('dialog').getByLabel('Name', { exact: true }).fill('Kiln')
  await click(page.getByRole('dialog').getByRole('button', { name: 'Create' }))
  await page.waitForURL('**/products/*')
  const product = new URL(page.url()).pathname.split('/').pop()
  await page.getByRole('button', { name: 'Publish' }).waitFor()
  if (await page.getByTitle('JSON', { exact: true }).count() > 0) await click(page.getByTitle('JSON', { exact: true }))
  await page.getByRole('textbox', { name: 'Thing model as JSON' }).fill(JSON.stringify(model))
  await page.waitForFunction(() => [...document.querySelectorAll('.ant-alert-success')].length > 0)
  const published = page.waitForResponse((r) => r.request().method() === 'PUT' && r.url().endsWith('/model'))
  await click(page.getByRole('button', { name: 'Publish' }))
  assert.equal((await published).status(), 200)

  // A device.
  await click(page.getByRole('button', { name: 'New device' }))
  const form = page.getByRole('dialog')
  await form.getByLabel('DeviceName').fill('kiln01')
  await click(form.getByRole('button', { name: 'New device' }))
  await page.getByText('Waiting for the device to connect').waitFor()

  // What the page shows is what a client needs.
  await click(page.getByRole('button', { name: 'Show the secrets' }))
  const shown = async (label) => (await page.locator('tr', { has: page.locator('th', { hasText: new RegExp(`^${label}$`) }) }).first().locator('code').innerText()).trim()
  const login = { host: await shown('Host'), port: await shown('Port'), clientId: await shown('ClientId'), username: await shown('Username'), password: await shown('Password') }
  const kiln = connected(login, postTopic(product, 'kiln01'))
  try {
    kiln.publish(post({ temperature: 20 }))
    await page.getByText('The device is online.').waitFor()
    await click(page.getByRole('button', { name: 'See its curves' }))
    const curve = page.getByRole('img', { name: 'Temperature' }).locator('canvas').first()
    await curve.waitFor()
    const drawn = await curve.evaluate((c) => c.toDataURL())
    let heat = 20
    const reporting = setInterval(() => kiln.publish(post({ temperature: (heat += 5) % 100 })), 1000)
    await page.waitForFunction((before) => [...document.querySelectorAll('[role=img][aria-label="Temperature"] canvas')].some((c) => c.toDataURL() !== before), drawn).finally(() => clearInterval(reporting))
    kiln.publish(post({ temperature: 90.5 }))
    await page.getByRole('tab', { name: 'Values', exact: true }).click()
    await page.getByText('90.5').waitFor()
  } finally {
    await kiln.end()
  }
  assert.ok(clicks <= mostClicks, `${clicks} clicks`)
  await fine(v)
})
