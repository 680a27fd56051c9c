// A device is refused, and a person reads why; a message that was taken is
// followed through its layers. The language changes on the way.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loginOf, needsMosquitto, post, postTopic, publish } from './clients.mjs'
import { address, ask, fine, signIn, visit } from './house.mjs'

const product = 'a1DemoLight'
const device = 'refused01'

test('a wrong password is explained, and a right message has five layers', { skip: needsMosquitto }, async () => {
  await ask('POST', `/products/${product}/devices`, { name: device })
  const login = await loginOf(product, device)
  const last = login.password.slice(-3)
  const wrong = [...last].map((c) => (c === '0' ? '1' : '0')).join('')
  assert.equal(publish({ ...login, password: login.password.slice(0, -3) + wrong }, postTopic(product, device), post({ CurrentTemperature: 21 })), false)

  const v = await visit()
  const { page } = v
  await signIn(v)
  await page.goto(`${address}/timeline?product=${product}&device=${device}`)
  await page.getByRole('button', { name: /refuse/ }).first().click()
  const layers = page.getByRole('dialog')
  await layers.getByText('Expected', { exact: true }).waitFor()
  await layers.getByText('Received', { exact: true }).waitFor()
  const marked = await layers.locator('mark').allInnerTexts()
  assert.equal(marked.length, 2)
  assert.ok(last.endsWith(marked[0]) || last.includes(marked[0]), `marked as expected is ${marked[0]}, of …${last}`)
  assert.ok(wrong.includes(marked[1]), `marked as received is ${marked[1]}, of …${wrong}`)
  await layers.getByText('A login that works').waitFor()
  await page.keyboard.press('Escape')
  await layers.waitFor({ state: 'detached' })

  // The page is open when the device does better.
  assert.equal(publish(login, postTopic(product, device), post({ CurrentTemperature: 21.5 })), true)
  await page.getByRole('button', { name: '中文' }).click()
  await page.getByRole('button', { name: /上行.*property\/post/ }).first().click()
  const five = page.getByRole('dialog')
  for (const title of ['AT 指令', '字节', 'Topic 与 Payload', '物模型取值与校验', '存储记录']) await five.locator('.ant-card-head-title', { hasText: title }).waitFor()
  const value = five.locator('.ant-card', { has: page.locator('.ant-card-head-title', { hasText: '物模型取值与校验' }) }).locator('[tabindex="0"]', { hasText: 'CurrentTemperature' })
  await page.mouse.move(0, 0) // the layers may have come up under it, on a value
  await page.waitForFunction(() => document.querySelectorAll('mark').length === 0)
  await value.hover()
  assert.equal(await five.locator('mark').innerText(), '"CurrentTemperature"')
  const row = five.locator('.ant-card', { has: page.locator('.ant-card-head-title', { hasText: '存储记录' }) })
  await row.getByText('21.5').waitFor()
  await fine(v)
})
