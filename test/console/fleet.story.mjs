// A visitor sets a fleet to work from a scenario, watches it and takes its
// result home.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, barriers, fine, settled, signIn, visit } from './house.mjs'
import { road } from './road.mjs'

const scenario = `name: story
duration: 3s
ramp: 500ms
groups:
  - {name: story, product: a1DemoLight, count: 5, report: {every: 250ms}}
expect: {connected: 100%, answered: 100%, lost: 0, refused: 0}
`

test('a fleet passes, and its result is downloaded', async () => {
  const v = await visit({ expects: [400] }) // a scenario of a product that is not here
  const { page } = v
  await signIn(v)
  await page.goto(`${address}/bench?tab=fleets`)
  await settled(page)
  await page.getByText('YAML', { exact: true }).click()
  const text = page.getByLabel('Scenario')
  await text.fill(scenario.replace('a1DemoLight', 'a1None'))
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText('dialect').last().waitFor() // of a product that is not here
  await text.fill(scenario)
  await page.getByRole('button', { name: 'Check' }).click()
  await page.getByText('The scenario is good: 5 devices').waitFor()
  await page.getByRole('button', { name: 'Start the fleet' }).click()
  await page.getByText('Passed', { exact: true }).waitFor({ timeout: 120_000 })
  await page.getByRole('cell', { name: /Connected at the end/ }).waitFor()
  await page.mouse.move(0, 0) // a button under the pointer is paler
  assert.deepEqual(await barriers(page), [])
  const download = page.waitForEvent('download')
  await page.getByRole('link', { name: 'Result as JUnit' }).click()
  assert.match((await download).suggestedFilename(), /^fleet-.*\.xml$/)
  await page.getByRole('button', { name: 'Remove' }).click()
  await page.getByText('No fleet has run').waitFor()
  assert.equal((await ask('GET', '/devices/count?text=story-0000')).count, 0, 'its devices are deleted')
  await fine(v)
})

test('the charts of a fleet outlast a break of the stream, and say when the fleet is gone', async () => {
  const way = await road()
  const v = await visit({ at: way.at })
  const { page } = v
  await signIn(v)
  await page.goto(`${way.at}/bench?tab=fleets`)
  await settled(page)
  await page.getByText('YAML', { exact: true }).click()
  await page.getByLabel('Scenario').fill(scenario.replace('3s', '10m').replace('name: story', 'name: long'))
  await page.getByRole('button', { name: 'Start the fleet' }).click()
  const live = page.getByText('live', { exact: true })
  const chart = page.getByRole('img', { name: 'Connected' })
  await live.waitFor()
  await way.cut()
  await page.getByText('connecting …').waitFor()
  await chart.waitFor() // what was known stays
  await way.mend()
  await live.waitFor()
  await page.getByText('At work').waitFor()
  await way.cut()
  const { items } = await ask('GET', '/bench/fleets')
  const { id } = items.find((f) => f.name === 'long')
  await ask('POST', `/bench/fleets/${id}/stop`)
  while ((await ask('GET', `/bench/fleets/${id}`)).state === 'running') await new Promise(setImmediate)
  await ask('DELETE', `/bench/fleets/${id}`)
  await way.mend()
  await page.getByText('The server knows this fleet no more').waitFor()
  await chart.waitFor()
  await page.getByRole('button', { name: 'Remove' }).click()
  await page.getByText('No fleet has run').waitFor()
  await way.cut()
  await v.context.close()
})

test('who may only look starts no fleet', async () => {
  await ask('POST', '/operators', { name: 'looker', role: 'viewer', password: 'only here to look around' })
  const v = await visit({})
  await signIn(v, 'looker', 'only here to look around')
  await v.page.goto(`${address}/bench?tab=fleets`)
  await v.page.getByText('Only operators may start fleets.').waitFor()
  assert.ok(await v.page.getByRole('button', { name: 'Start the fleet' }).isDisabled())
  await fine(v)
  await ask('DELETE', '/operators/looker')
})
