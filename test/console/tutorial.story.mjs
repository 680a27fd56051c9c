// The tutorial with which it all began: an ESP8266 by a serial terminal, in
// transparent mode, its packets counted out by hand. What it types is typed
// into the page's terminal word for word; its packets, which no keyboard has,
// are those of the lesson beside it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, fine, settled, signIn, visit } from './house.mjs'

const product = 'a1DemoLight'
const device = 'tutorial01'

test('the ESP8266 of the tutorial, in the page', async () => {
  await ask('POST', `/products/${product}/devices`, { name: device })
  const v = await visit({ language: 'zh' })
  const { page } = v
  await page.addInitScript((d) => localStorage.setItem('matou.bench.aliyun', d), `${product}/${device}`)
  await signIn(v)
  await page.goto(address + '/bench')
  await settled(page)
  await page.getByRole('checkbox').first().check() // as fast as possible
  await page.getByRole('button', { name: /^启\s?动/ }).click()
  const screen = page.locator('.xterm-rows')
  await screen.waitFor()
  await page.locator('.bench-desk .ant-badge-status-success').first().waitFor()
  const text = () => screen.evaluate((rows) => [...rows.children].map((r) => r.textContent.replaceAll('\u00a0', ' ').trimEnd()).join(''))
  const shows = (last, expect) => page.waitForFunction(([from, what]) => {
    const all = [...document.querySelector('.xterm-rows').children].map((r) => r.textContent.replaceAll('\u00a0', ' ').trimEnd()).join('')
    const at = all.lastIndexOf(from)
    return at >= 0 && all.slice(at + from.length).includes(what)
  }, [last, expect], { timeout: 60_000 }).catch(async (e) => assert.fail(`after ${last} there is no ${expect} in ${await text()}: ${e.message}`))
  const type = async (line, expect) => {
    await page.locator('.xterm-helper-textarea').focus()
    await page.keyboard.type(line)
    await page.keyboard.press('Enter')
    await shows(line, expect)
  }
  await type('AT+RST', 'ready')
  await type('AT+CWMODE=1', 'OK')
  await type('AT+CWJAP_CUR="matou","12345678"', 'WIFI GOT IPOK')
  await type('AT+CIFSR', '+CIFSR:STAMAC')
  await type('AT+CIPMUX=0', 'OK')
  await type(`AT+CIPSTART="TCP","${product}.iot-as-mqtt.cn-shanghai.aliyuncs.com",1883`, 'CONNECTOK')
  await type('AT+CIPMODE=1', 'OK')
  await type('AT+CIPSEND', '>')
  const packet = async (name, expect) => {
    await page.getByRole('button', { name: new RegExp(`^发送 ${name}`) }).click()
    await shows('AT+CIPSEND', expect)
  }
  await packet('CONNECT', '[02][00][00]')
  await packet('SUBSCRIBE', '[90][03][00]')
  await packet('PUBLISH', '_reply')
  await packet('PINGREQ', '[D0][00]')

  await page.goto(`${address}/timeline?product=${product}&device=${device}`)
  await page.getByRole('button', { name: /上行.*property\/post/ }).first().click()
  const at = page.getByRole('dialog').locator('.ant-card', { has: page.locator('.ant-card-head-title', { hasText: 'AT 指令 · esp8266' }) })
  await at.getByText('AT+CIPSEND', { exact: true }).waitFor()
  await page.getByRole('dialog').getByText('1562283421').first().waitFor()
  for (const m of (await ask('GET', '/bench/modules')).items) await ask('DELETE', `/bench/modules/${m.id}`)
  await fine(v)
})
