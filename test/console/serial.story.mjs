// A module at the visitor's own machine, by Web Serial: here an adapter that is
// made in the page and answers as a module does.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, barriers, fine, settled, signIn, visit } from './house.mjs'

const product = 'a1DemoLight'
const device = 'plugged01'

// An adapter keeps what was written to it, echoes lines and answers OK; `pull`
// takes it out, `mishap` is how opening it fails.
function adapter() {
  const words = new TextEncoder()
  const said = new TextDecoder()
  const w = (window.adapter = { opened: 0, closed: 0, baud: 0, written: '', mishap: '', chosen: true })
  let out
  const port = {
    readable: null,
    writable: null,
    async open({ baudRate }) {
      if (w.mishap) throw new DOMException('Failed to open serial port.', w.mishap)
      w.opened++
      w.baud = baudRate
      port.readable = new ReadableStream({ start: (c) => { out = c } })
      port.writable = new WritableStream({
        write: (b) => {
          const text = said.decode(b)
          w.written += text
          out.enqueue(b)
          if (text.endsWith('\n')) out.enqueue(words.encode('\r\nOK\r\n'))
        },
      })
    },
    async close() {
      if (port.readable?.locked || port.writable?.locked) throw new TypeError('a stream is locked')
      port.readable = port.writable = null
      w.closed++
    },
  }
  w.pull = () => {
    const c = out
    port.readable = null
    c.error(new DOMException('The device has been lost.', 'NetworkError'))
  }
  w.say = (bytes) => out.enqueue(Uint8Array.from(bytes))
  Object.defineProperty(navigator, 'serial', {
    value: {
      requestPort: () => new Promise((give, refuse) => {
        w.choose = () => give(port)
        if (w.chosen === 'later') return
        if (w.chosen) give(port)
        else refuse(new DOMException('No port selected by the user.', 'NotFoundError'))
      }),
    },
  })
}

test('a real module is spoken to from the page', async () => {
  await ask('POST', `/products/${product}/devices`, { name: device })
  const v = await visit()
  const { page } = v
  await page.addInitScript(adapter)
  await page.addInitScript((d) => localStorage.setItem('matou.bench.aliyun', d), `${product}/${device}`)
  await signIn(v)
  await page.goto(`${address}/bench?tab=plugged`)
  await settled(page)
  const state = (text) => page.locator('.bench-desk').getByText(text, { exact: true }).waitFor()
  const open = page.getByRole('button', { name: 'Choose a port' })
  const shows = (what) => page.waitForFunction((x) => [...document.querySelector('.xterm-rows').children].map((r) => r.textContent).join('').includes(x), what)
  const now = () => page.evaluate(() => window.adapter)

  // None is chosen: nothing has happened, and nothing is said.
  await page.evaluate(() => { window.adapter.chosen = false })
  await open.click()
  await state('not connected')
  assert.equal(await page.getByText('No port selected').count(), 0)

  // Another program has it.
  await page.evaluate(() => Object.assign(window.adapter, { chosen: true, mishap: 'NetworkError' }))
  await open.click()
  await page.getByText('another program or page has it').waitFor()

  await page.evaluate(() => { window.adapter.mishap = '' })
  await open.click()
  await state('connected')
  assert.equal(await page.getByText('another program or page has it').count(), 0)
  assert.equal((await now()).baud, 115200)
  await page.locator('.xterm-helper-textarea').focus()
  await page.keyboard.type('AT+GMR')
  await page.keyboard.press('Enter')
  await shows('OK')
  assert.equal((await now()).written, 'AT+GMR\r\n')
  await page.evaluate(() => window.adapter.say([0x20, 0x02, 0x00, 0x00])) // a CONNACK is seen
  await shows('[02][00][00]')
  await page.getByRole('button', { name: 'Send AT+CWMODE=1' }).click()
  await shows('AT+CWMODE=1')
  assert.ok((await now()).written.endsWith('AT+CWMODE=1\r\n'))
  // Who uses the keyboard alone leaves the terminal as he came.
  await page.locator('.xterm-helper-textarea').focus()
  await page.keyboard.press('Tab')
  assert.equal(await page.evaluate(() => document.activeElement.closest('.xterm')), null)
  await page.mouse.move(0, 0)
  assert.deepEqual(await barriers(page), [])

  await page.evaluate(() => window.adapter.pull())
  await page.getByText('was the adapter pulled out?').waitFor()
  await state('not connected')

  // It is put in again, closed by its button, and opened by who leaves at once.
  await open.click()
  await state('connected')
  await page.getByRole('button', { name: 'Close the port' }).click()
  await state('not connected')
  const closed = (await now()).closed
  await page.evaluate(() => { window.adapter.chosen = 'later' })
  await open.click()
  await page.waitForFunction(() => window.adapter.choose)
  await page.getByRole('tab', { name: 'Fleets' }).click()
  await page.evaluate(() => window.adapter.choose())
  await page.waitForFunction((n) => window.adapter.closed > n, closed)
  await fine(v)
})

test('a browser without Web Serial says so, in both languages', async () => {
  for (const [language, text] of [['en', 'This browser cannot reach serial ports.'], ['zh', '当前浏览器不支持访问串口。']]) {
    const v = await visit({ language })
    await v.page.addInitScript(() => Object.defineProperty(navigator, 'serial', { value: undefined }))
    await signIn(v)
    await v.page.goto(`${address}/bench?tab=plugged`)
    await v.page.getByText(text).waitFor()
    await fine(v)
  }
})
