// Takes the pictures of docs/screenshots: each page in both languages, some in
// the dark and on a phone. What moves stands still, and a picture is replaced
// only where the page has changed: a clock or a value that differs is no change.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { connected, loginOf, post, postTopic, publish } from './clients.mjs'
import { address, ask, browser, settled, signIn, visit } from './house.mjs'

const folder = process.env.MATOU_SCREENSHOTS
const same = 0.015 // of a picture's pixels may differ
const light = 'a1DemoLight'
const at = (device, tab) => `/devices/${light}/${device}${tab ? `?tab=${tab}` : ''}`

const packet = '30 1d 00 09 2f 73 79 73 2f 70 6f 73 74 7b 22 74 65 6d 70 22 3a 32 33 2e 35 2c 22 68 75 6d 22 3a 36 30 7d'

// Each picture: where it is taken, what is done there first, and in which other
// looks than light and wide.
const pictures = [
  { name: 'overview', path: '/', first: counted, dark: true, phone: true },
  { name: 'products', path: '/products' },
  { name: 'product', path: `/products/${light}`, dark: true },
  { name: 'devices', path: '/devices', phone: true },
  { name: 'device', path: at('light01'), dark: true, phone: true },
  { name: 'curves', path: at('my-light', 'curves'), first: drawn, dark: true },
  { name: 'commands', path: at('light01', 'commands') },
  { name: 'connect', path: at('lamp-hall', 'connect') },
  { name: 'timeline', path: `/timeline?product=${light}&device=lamp-module`, phone: true },
  { name: 'layers', path: `/timeline?product=${light}&device=lamp-module`, first: (p) => open(p, /property\/post \d/), dark: true },
  { name: 'refusal', path: `/timeline?product=${light}&device=lamp-cellar`, first: (p) => open(p, /hmac|refuse|拒绝/) },
  { name: 'workshop', path: '/workshop', first: explained, dark: true },
  { name: 'client', path: '/workshop?tool=client' },
  { name: 'bench', path: '/bench', first: typed, dark: true },
  { name: 'simulated', path: '/bench?tab=simulated' },
  { name: 'upgrades', path: '/upgrades' },
  { name: 'gateways', path: '/gateways' },
  { name: 'factory', path: '/factory' },
  { name: 'access', path: '/access' },
  { name: 'audit', path: '/audit' },
  { name: 'settings', path: '/settings', first: (p) => p.locator('main').getByRole('textbox').first().fill('limit') } /* no directory of the machine */,
  { name: 'account', path: '/account' },
]

async function open(page, name) {
  await page.locator('main').getByRole('button', { name }).first().click()
  await page.getByRole('dialog').locator('.ant-card, .ant-descriptions').first().waitFor()
}

// counted waits for the first rates.
async function counted(page) {
  await page.locator('main .ant-statistic').nth(5).waitFor()
}

async function drawn(page) {
  await page.locator('main canvas').first().waitFor()
}

async function explained(page) {
  await page.locator('main textarea').first().fill(packet)
  await page.locator('main button.ant-btn-primary').first().click()
  await page.locator('main .mono[role=img]').first().waitFor()
}

// typed asks the module a few things in its terminal.
async function typed(page) {
  await page.locator('.bench-desk .ant-badge-status-success').first().waitFor()
  for (const [line, answer] of [['AT+CWJAP?', '+CWJAP'], ['AT+CIPSTATUS', 'STATUS:'], ['AT+CIFSR', 'STAMAC']]) {
    await page.locator('.xterm-helper-textarea').focus()
    await page.keyboard.type(line)
    await page.keyboard.press('Enter')
    await page.locator('.xterm-rows', { hasText: answer }).waitFor()
  }
}

// furnish gives the demo something to show on every page.
async function furnish() {
  for (const [name, tags] of [['lamp-hall', { floor: '1' }], ['lamp-cellar', { floor: '0' }], ['lamp-roof', { floor: '2' }], ['lamp-module', { floor: '1', module: 'ESP8266' }]]) {
    await ask('POST', `/products/${light}/devices`, { name, tags })
  }
  await ask('POST', '/products', { key: 'a1Gateway', name: '楼宇网关 Building gateway', dialect: 'aliyun', nodeType: 'gateway' })
  await ask('POST', '/products/a1Gateway/devices', { name: 'gateway01' })
  await ask('POST', `/products/${light}/batches`, { count: 20, prefix: 'night-' }).catch((e) => console.log(String(e)))

  const mine = await loginOf(light, 'my-light')
  const lamp = connected(mine, postTopic(light, 'my-light'))
  const now = Date.now()
  for (let minute = 58; minute >= 0; minute--) {
    const time = now - minute * 60_000
    const day = (58 - minute) / 58
    lamp.publish(post({
      CurrentTemperature: { value: Math.round(10 * (22 + 4 * Math.sin(day * 5) + Math.sin(minute))) / 10, time },
      CurrentHumidity: { value: Math.round(10 * (48 - 9 * Math.sin(day * 5) + Math.cos(minute * 2))) / 10, time },
    }))
  }
  const cellar = await loginOf(light, 'lamp-cellar')
  publish({ ...cellar, password: cellar.password.slice(0, 40) + '0000' + cellar.password.slice(44) }, postTopic(light, 'lamp-cellar'), '{}')
  await ask('POST', `/products/${light}/devices/light01/properties`, { values: { NightLightSwitch: 1 }, wait: '20s' })
  await moduleAtWork()
  await ask('POST', '/bench/devices', { product: light, device: 'lamp-roof' })
  while ((await ask('GET', `/products/${light}/devices/my-light/properties`)).items.some((l) => l.property === 'CurrentTemperature' && !l.time)) await new Promise(setImmediate)
  return lamp
}

// moduleAtWork has a module dock as the lesson in the page does it.
async function moduleAtWork() {
  const v = await visit({ language: 'en' })
  const { page } = v
  await page.addInitScript((d) => localStorage.setItem('matou.bench.aliyun', d), `${light}/lamp-module`)
  await signIn(v)
  await page.goto(address + '/bench')
  await settled(page)
  await page.getByRole('checkbox').first().check()
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  await page.locator('.bench-desk .ant-badge-status-success').first().waitFor()
  await page.getByRole('combobox', { name: 'Lesson' }).click()
  await page.locator('.ant-select-item-option', { hasText: 'CIPSEND' }).click()
  const steps = page.locator('.lesson ol li button[aria-label^="Send "]')
  const expects = ['ready', 'OK', 'OK', 'GOT IPOK', 'STAMAC', 'CONNECTOK', '>', '[02][00][00]', '>', '[90][03]', '>', '_reply']
  for (const [i, expect] of expects.entries()) {
    const sent = (await steps.nth(i).getAttribute('aria-label')).slice('Send '.length)
    await steps.nth(i).click()
    await page.waitForFunction(([line, what]) => {
      const said = [...document.querySelector('.xterm-rows').children].map((r) => r.textContent.replaceAll('\u00a0', ' ').trimEnd()).join('')
      const at = said.lastIndexOf(line)
      return at >= 0 && said.slice(at + line.length).includes(what)
    }, [sent.startsWith('AT') ? sent : 'AT+CIPSEND', expect])
  }
  const path = `/products/${light}/devices/lamp-module/timeline?kind=uplink`
  while ((await ask('GET', path)).items.length === 0) await new Promise(setImmediate)
  await v.context.close()
}

// calm stops what moves: carets, blinking, fading.
const calm = `*, *::before, *::after { animation: none !important; transition: none !important; caret-color: transparent !important; }
  .xterm-cursor { visibility: hidden !important; }`

const desk = await browser.newPage()

// keep makes a WebP of a picture, unless the one that is there shows the same.
async function keep(name, png) {
  const file = `${folder}/${name}.webp`
  const old = existsSync(file) ? `data:image/webp;base64,${readFileSync(file).toString('base64')}` : ''
  const made = await desk.evaluate(async ([fresh, before]) => {
    const load = async (url) => {
      const image = new Image()
      image.src = url
      await image.decode()
      const canvas = Object.assign(document.createElement('canvas'), { width: image.width, height: image.height })
      const paper = canvas.getContext('2d')
      paper.drawImage(image, 0, 0)
      return { canvas, pixels: paper.getImageData(0, 0, image.width, image.height).data }
    }
    const a = await load(fresh)
    const b = before && await load(before)
    let differ = 1
    if (b && a.pixels.length === b.pixels.length) {
      let n = 0
      for (let i = 0; i < a.pixels.length; i += 4) {
        if (Math.abs(a.pixels[i] - b.pixels[i]) + Math.abs(a.pixels[i + 1] - b.pixels[i + 1]) + Math.abs(a.pixels[i + 2] - b.pixels[i + 2]) > 96) n++
      }
      differ = n / (a.pixels.length / 4)
    }
    return { differ, webp: a.canvas.toDataURL('image/webp', 0.85) }
  }, [`data:image/png;base64,${png.toString('base64')}`, old])
  if (made.differ <= same) return
  writeFileSync(file, Buffer.from(made.webp.split(',')[1], 'base64'))
  console.log(`${name}: ${old ? `${(100 * made.differ).toFixed(1)} % differ` : 'new'}`)
}

async function take(how, suffix, chosen) {
  const v = await visit(how)
  const { page } = v
  await page.addInitScript((d) => localStorage.setItem('matou.bench.aliyun', d), `${light}/lamp-module`)
  await signIn(v)
  for (const p of chosen) {
    try {
      await page.goto(address + p.path)
      await settled(page)
      await page.addStyleTag({ content: calm })
      await p.first?.(page)
      await settled(page)
      await page.mouse.move(0, 0)
      await page.evaluate(() => document.fonts.ready)
      const png = await page.screenshot({ animations: 'disabled', caret: 'hide' })
      if (process.env.MATOU_SCREENSHOTS_RAW) writeFileSync(`${process.env.MATOU_SCREENSHOTS_RAW}/${p.name}.${suffix}.png`, png)
      await keep(`${p.name}.${suffix}`, png)
    } catch (e) {
      process.exitCode = 1
      console.log(`${p.name}.${suffix}: ${e.message}`)
    }
  }
  await v.context.close()
}

mkdirSync(folder, { recursive: true })
const lamp = await furnish()
const wide = { width: 1440, height: 900 }
await take({ language: 'en', ...wide }, 'en', pictures)
await take({ language: 'zh', ...wide }, 'zh', pictures)
await take({ language: 'en', ...wide, dark: true }, 'en.dark', pictures.filter((p) => p.dark))
await take({ language: 'zh', width: 390, height: 844 }, 'zh.phone', pictures.filter((p) => p.phone))
await lamp.end()
await browser.close()
process.exit()
