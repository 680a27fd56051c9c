// What belongs to who is signed in, whatever the role.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, barriers, fine, settled, signIn, visit } from './house.mjs'

const secret = 'keeper of keys 1234'

test('a viewer makes a token, changes the password and signs out everywhere', async () => {
  await ask('POST', '/operators', { name: 'keeper', password: secret, role: 'viewer' })
  const elsewhere = await visit()
  await signIn(elsewhere, 'keeper', secret)
  const v = await visit({ expects: [400, 401] })
  const { page } = v
  await signIn(v, 'keeper', secret)
  await page.getByRole('button', { name: 'keeper', exact: true }).click()
  await page.getByRole('link', { name: 'My account' }).click()
  await page.waitForURL('**/account')
  await settled(page)
  assert.deepEqual(await barriers(page), [])

  await page.getByRole('button', { name: 'Make token' }).click()
  const make = page.getByRole('dialog')
  await make.getByLabel('What is it for?').fill('hall display')
  await make.getByRole('combobox', { name: /Role/ }).click()
  assert.equal(await page.getByRole('option', { name: 'Operator' }).count(), 0, 'a viewer gives no role above his own')
  await page.keyboard.press('Escape')
  await make.getByRole('button', { name: 'Make token' }).click()
  const token = (await page.locator('.ant-modal .mono').innerText()).trim()
  await page.getByRole('button', { name: 'I have copied it' }).click()
  await page.getByRole('cell', { name: 'hall display' }).waitFor()
  const answer = await fetch(address + '/api/v1/me', { headers: { Authorization: `Bearer ${token}` } })
  assert.deepEqual([answer.status, (await answer.json()).role], [200, 'viewer'])

  await page.getByLabel('Present password').fill('not the one 1234')
  await page.getByLabel('New password', { exact: true }).fill('another password 1')
  await page.getByLabel('New password again').fill('another password 2')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.getByText('The two are not the same.').waitFor()
  await page.getByLabel('New password again').fill('another password 1')
  await page.getByRole('button', { name: 'Change password' }).click()
  await page.locator('.ant-form-item-explain-error, .ant-message-error').first().waitFor()

  await page.getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Sign out everywhere' }).click()
  await page.getByLabel(v.words.password, { exact: true }).waitFor()
  await elsewhere.page.goto(address + '/products') // it may know already
  await elsewhere.page.getByLabel(v.words.password, { exact: true }).waitFor()
  elsewhere.faults.splice(0) // that its session ended
  await fine(elsewhere)
  await fine(v)
})

test('people and keys are the administrators\': others land on their own account', async () => {
  await ask('POST', '/operators', { name: 'worker', password: secret, role: 'operator' })
  const v = await visit()
  await signIn(v, 'worker', secret)
  await v.page.goto(address + '/access')
  await v.page.waitForURL('**/account')
  await v.page.getByRole('heading', { name: 'My account' }).waitFor()
  await fine(v)
})
