// The MQTT client in the page: MQTT.js over WebSocket to the device port.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loginOf } from './clients.mjs'
import { address, ask, fine, settled, signIn, visit } from './house.mjs'

const product = 'a1DemoLight'
const device = 'browser01'

test('a page connects, subscribes, publishes and hears itself', async () => {
  await ask('POST', `/products/${product}/devices`, { name: device })
  const login = await loginOf(product, device)
  const topic = `/${product}/${device}/user/hello`
  const v = await visit()
  const { page } = v
  await signIn(v)
  await page.goto(address + '/workshop?tool=client')
  await settled(page)
  await page.getByLabel('WebSocket address of the device port').fill(`ws://${process.env.MATOU_DEVICE}/mqtt`)
  await page.getByLabel('Client ID').fill(login.clientId)
  await page.getByLabel('User name').fill(login.username)
  await page.getByLabel('Password', { exact: true }).fill(login.password)
  await page.getByRole('button', { name: 'Connect', exact: true }).click()
  await page.getByText('connected', { exact: true }).waitFor()
  await page.getByLabel('Topic filter').fill(topic)
  await page.getByRole('button', { name: 'Subscribe' }).click()
  const timeline = `/products/${product}/devices/${device}/timeline?kind=subscribe`
  while ((await ask('GET', timeline)).items.length === 0) await page.evaluate(() => new Promise(requestAnimationFrame))
  await page.getByLabel('Topic', { exact: true }).fill(topic)
  await page.getByLabel('Payload').fill('{"hello":"码头"}')
  await page.getByRole('button', { name: 'Publish' }).click()
  const history = page.locator('.ant-card', { has: page.locator('.ant-card-head-title', { hasText: 'History' }) })
  await history.getByText('←').waitFor()
  await history.getByText('→').waitFor()
  assert.equal(await history.getByText('{"hello":"码头"}').count(), 2)
  await page.getByRole('button', { name: 'Disconnect' }).click()
  await page.getByText('not connected', { exact: true }).waitFor()
  await fine(v)
})
