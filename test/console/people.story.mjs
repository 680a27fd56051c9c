// People and keys as the administrator has them, and what the audit log keeps
// of it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { address, ask, barriers, fine, settled, signIn, visit } from './house.mjs'

const secret = 'keeper of keys 1234'

async function people(options) {
  const v = await visit(options)
  await signIn(v)
  await v.page.goto(`${address}/access`)
  await settled(v.page)
  return v
}

const why = (page, text) => page.getByRole('dialog').locator('.ant-form-item-explain-error').getByText(text).waitFor()

test('people are made, changed and deleted; what cannot be is said at its field', async () => {
  const v = await people({ expects: [400, 409] })
  const { page } = v
  const dialog = page.getByRole('dialog')
  const save = () => dialog.getByRole('button', { name: 'Save' }).click()
  const row = (name) => page.getByRole('row').filter({ hasText: name })
  const change = (name) => row(name).getByRole('button', { name: 'Change' }).click()
  await page.getByRole('button', { name: 'Add operator' }).click()
  assert.deepEqual(await barriers(page), [])
  await save()
  await dialog.locator('.ant-form-item-explain-error').nth(1).waitFor() // name and password
  await dialog.getByLabel('Name', { exact: true }).fill('<li>')
  await dialog.getByLabel('Password', { exact: true }).fill(secret)
  await save()
  await why(page, /begin with a letter or digit/)
  await dialog.getByLabel('Name', { exact: true }).fill('admin')
  await save()
  await why(page, 'there is an operator "admin" already')
  await dialog.getByLabel('Name', { exact: true }).fill('李雷')
  for (const [bad, said] of [['short', 'a password has at least 8 characters'], ['x'.repeat(73), 'a password has at most 72 bytes']]) {
    await dialog.getByLabel('Password', { exact: true }).fill(bad)
    await save()
    await why(page, said)
  }
  await dialog.getByLabel('Password', { exact: true }).fill(secret)
  await save()
  await row('李雷').getByText('Operator').waitFor()

  await change('李雷')
  await dialog.getByRole('combobox', { name: /Role/ }).click()
  await page.getByTitle('Viewer').click()
  await save()
  await row('李雷').getByText('Viewer').waitFor()

  await change('admin')
  await dialog.getByRole('combobox', { name: /Role/ }).click()
  await page.getByTitle('Viewer').click()
  await save()
  await why(page, 'admin is the last administrator: make another one first')
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  await dialog.waitFor({ state: 'hidden' })
  await row('admin').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('tooltip').getByRole('button', { name: 'Delete' }).last().click()
  await page.getByText('admin is the last administrator').waitFor()
  await row('李雷').getByRole('button', { name: 'Delete' }).click()
  await page.getByRole('tooltip').getByRole('button', { name: 'Delete' }).last().click()
  await row('李雷').waitFor({ state: 'detached' })
  await fine(v)
})

test('a person is disabled and enabled again; oneself is not', async () => {
  await ask('POST', '/operators', { name: 'resting', password: secret, role: 'viewer' })
  const { token } = await ask('POST', '/session', { name: 'resting', password: secret })
  const me = () => fetch(address + '/api/v1/me', { headers: { Authorization: `Bearer ${token}` } }).then((a) => a.status)
  assert.equal(await me(), 200)
  const v = await people()
  const { page } = v
  const row = page.getByRole('row').filter({ hasText: 'resting' })
  assert.equal(await page.getByRole('row').filter({ hasText: 'admin' }).getByRole('button', { name: 'Disable' }).isDisabled(), true)
  await row.getByRole('button', { name: 'Disable' }).click()
  await page.getByRole('tooltip').getByRole('button', { name: 'Disable' }).click()
  await row.getByText('disabled', { exact: true }).waitFor()
  assert.equal(await me(), 401)
  assert.deepEqual(await barriers(page), [])
  const away = await visit({ language: 'zh', expects: [403] })
  await away.page.goto(address + '/')
  await away.page.getByLabel(away.words.name, { exact: true }).fill('resting')
  await away.page.getByLabel(away.words.password, { exact: true }).fill(secret)
  await away.page.getByRole('button', { name: away.words.signIn }).click()
  await away.page.getByRole('alert').getByText('用户 resting 已被禁用，可请管理员重新启用').waitFor()
  await row.getByRole('button', { name: 'Enable' }).click()
  await row.getByText('disabled', { exact: true }).waitFor({ state: 'detached' })
  await away.page.getByRole('button', { name: away.words.signIn }).click()
  await away.page.getByRole('button', { name: 'resting', exact: true }).waitFor()
  await fine(away)
  await fine(v)
})

test('who takes his own rights away sees at once what is left to him', async () => {
  await ask('POST', '/operators', { name: 'second', password: secret, role: 'administrator' })
  const v = await visit({ expects: [403] })
  const { page } = v
  await signIn(v, 'second', secret)
  await page.getByRole('link', { name: 'People and keys' }).click()
  await page.getByRole('row').filter({ hasText: 'second' }).getByRole('button', { name: 'Change' }).click()
  await page.getByRole('dialog').getByRole('combobox', { name: /Role/ }).click()
  await page.getByTitle('Viewer').click()
  await page.getByRole('dialog').getByRole('button', { name: 'Save' }).click()
  await page.waitForURL('**/account')
  await page.getByRole('link', { name: 'Audit log' }).waitFor({ state: 'detached' })
  v.faults.splice(0) // what was asked for as he lost it
  await fine(v)
})

test('whose session is ended from elsewhere is asked to sign in, wherever he is', async () => {
  await ask('POST', '/operators', { name: 'third', password: secret, role: 'operator' })
  const v = await visit({ expects: [401] })
  const { page, words } = v
  await signIn(v, 'third', secret)
  await page.goto(`${address}/devices/a1DemoLight/light01`)
  await page.getByText('live', { exact: true }).waitFor()
  await ask('DELETE', '/operators/third')
  await page.getByLabel(words.password, { exact: true }).waitFor()
  await fine(v)
})

test('keys are made and deleted by the administrator, whoever has them', async () => {
  const v = await people({ language: 'zh' })
  const { page } = v
  await ask('POST', '/tokens', { name: 'of the house', role: 'operator' })
  await page.getByRole('tab', { name: '全部访问令牌' }).click()
  await page.getByRole('row').filter({ hasText: 'of the house' }).getByText('本服务器').waitFor()
  await page.getByRole('button', { name: '新建令牌' }).click()
  const make = page.getByRole('dialog')
  await make.getByRole('button', { name: '新建令牌' }).click()
  await make.locator('.ant-form-item-explain-error').waitFor()
  await make.getByLabel('用途').fill('看'.repeat(120))
  assert.equal((await make.getByLabel('用途').inputValue()).length, 100, 'no more can be typed than is taken')
  await make.getByLabel('用途').fill('大厅看板')
  await make.getByRole('button', { name: '新建令牌' }).click()
  const token = (await page.locator('.ant-modal .mono').innerText()).trim()
  await page.getByRole('button', { name: '我已复制' }).click()
  const me = () => fetch(address + '/api/v1/me', { headers: { Authorization: `Bearer ${token}` } }).then((a) => a.status)
  assert.equal(await me(), 200)
  const row = page.getByRole('row').filter({ hasText: '大厅看板' })
  await row.getByRole('button', { name: /删\s?除/ }).click()
  await page.getByText('确定删除令牌“大厅看板”？使用它的程序会立即被拒绝。').waitFor()
  await page.getByRole('tooltip').getByRole('button', { name: /删\s?除/ }).last().click()
  await row.waitFor({ state: 'detached' })
  assert.equal(await me(), 401)
  await fine(v)
})

const log = {
  en: { made: 'Make an operator', denied: 'Delete a product', refused: 'Refused', all: 'All', who: 'Who', path: 'Path begins with', why: 'there is no product "none"', none: /nothing fits the filter/ },
  zh: { made: '新增用户', denied: '删除产品', refused: '被拒绝', all: '全部', who: '操作者', path: '路径前缀', why: '产品 "none" 不存在', none: '没有符合条件的记录。' },
}

for (const [language, t] of Object.entries(log)) {
  test(`what people did is in the audit log, in words, and is found (${language})`, async () => {
    await ask('POST', '/operators', { name: `kept-${language}`, password: secret, role: 'viewer' })
    const refusal = await fetch(`${address}/api/v1/products/none`, { method: 'DELETE', headers: { Authorization: `Bearer ${process.env.MATOU_TOKEN}` } })
    assert.equal(refusal.status, 404)
    const v = await visit({ language })
    await signIn(v)
    const { page } = v
    await page.goto(`${address}/audit`)
    await settled(page)
    assert.deepEqual(await barriers(page), [])
    await page.getByRole('row').filter({ hasText: t.made }).filter({ hasText: `kept-${language}` }).waitFor()
    await page.getByRole('row').filter({ hasText: t.denied }).filter({ hasText: t.why }).first().waitFor()
    await page.getByText(t.refused, { exact: true }).first().click()
    await page.getByRole('row').filter({ hasText: t.made }).filter({ hasText: `kept-${language}` }).waitFor({ state: 'detached' })
    await page.getByText(t.all, { exact: true }).first().click()
    await page.getByLabel(t.path).fill('/api/v1/operators')
    await page.keyboard.press('Enter')
    await page.getByRole('row').filter({ hasText: t.denied }).first().waitFor({ state: 'detached' })
    await page.getByRole('row').filter({ hasText: `kept-${language}` }).waitFor()
    await page.getByLabel(t.who, { exact: true }).fill('nobody of this name')
    await page.keyboard.press('Enter')
    await page.getByText(t.none).waitFor()
    await fine(v)
  })
}
