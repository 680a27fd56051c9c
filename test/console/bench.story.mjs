// What two people, and one with a slow hand, do to the bench.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, fine, settled, signIn, visit } from './house.mjs'

test('who comes second to a terminal reads why it is closed, and has it when the first has left', async () => {
  const m = await ask('POST', '/bench/modules', { kind: 'esp8266', fast: true })
  const first = await visit()
  const second = await visit()
  const state = (v, text) => v.page.locator('.bench-desk').getByText(text, { exact: true }).waitFor()
  await signIn(first)
  await first.page.goto(`${address}/bench`)
  await state(first, 'connected')
  await signIn(second)
  await second.page.goto(`${address}/bench`)
  await second.page.getByText('another terminal is attached to this module').waitFor()
  await fine(first)
  await state(second, 'connected')
  await second.page.getByText('another terminal is attached to this module').waitFor({ state: 'detached' })
  await second.page.getByRole('button', { name: 'End', exact: true }).click()
  await second.page.getByText('No module is at work').waitFor()
  await fine(second)
  assert.ok(!(await ask('GET', '/bench/modules')).items.some((x) => x.id === m.id))
})

test('a sensor stays where it is held', async () => {
  const device = 'held01'
  await ask('POST', '/products/a1DemoLight/devices', { name: device })
  await ask('POST', '/bench/devices', { product: 'a1DemoLight', device })
  const v = await visit()
  const { page } = v
  await signIn(v)
  await page.goto(`${address}/bench?tab=simulated`)
  await settled(page)
  const handle = page.getByRole('slider').first()
  await handle.waitFor()
  const rail = await page.locator('.ant-slider').first().boundingBox()
  const at = await handle.boundingBox()
  await page.mouse.move(at.x + at.width / 2, at.y + at.height / 2)
  await page.mouse.down()
  await page.mouse.move(rail.x + rail.width * 0.8, rail.y + rail.height / 2, { steps: 5 })
  const held = await handle.getAttribute('aria-valuenow')
  const path = '/bench/devices/a1DemoLight/held01'
  const look = (response) => response.url().endsWith(path) && response.request().method() === 'GET'
  for (let i = 0; i < 3; i++) await page.waitForResponse(look)
  assert.equal(await handle.getAttribute('aria-valuenow'), held)
  await page.mouse.up()
  await page.getByText('moved by hand').waitFor()
  assert.ok((await ask('GET', path)).values.some((x) => x.fixed && String(x.value) === held))
  await fine(v)
  await ask('DELETE', path)
})
