// Batches for a factory: what cannot be made is said where it was typed.
import { test } from 'node:test'
import { address, fine, settled, signIn, visit } from './house.mjs'

test('a batch of too many, of none or of names that cannot be is refused at its field', async () => {
  const v = await visit({ expects: [400, 409, 422] })
  await signIn(v)
  const { page } = v
  await page.goto(`${address}/factory?product=a1DemoLight`)
  await settled(page)
  await page.getByRole('button', { name: 'Make a batch' }).click()
  const dialog = page.getByRole('dialog')
  const refused = async (field, typed, said) => {
    await dialog.getByLabel(field, { exact: true }).fill(typed)
    await dialog.getByRole('button', { name: 'Make a batch' }).click()
    await dialog.locator('.ant-form-item').filter({ hasText: field }).locator('.ant-form-item-explain-error').getByText(said).waitFor()
  }
  await refused('Devices', '1000000', /10000/)
  await refused('Devices', '0', /10000/)
  await refused('Chosen DeviceNames', 'lamp7\nlamp7', /lamp7/)
  await refused('Chosen DeviceNames', '灯', /灯/)
  await dialog.getByLabel('Chosen DeviceNames', { exact: true }).fill('batched1, batched2')
  await dialog.getByLabel('Batch', { exact: true }).fill('tried-again')
  await dialog.getByRole('button', { name: 'Make a batch' }).click()
  await page.getByRole('row').filter({ hasText: 'tried-again' }).waitFor()
  await fine(v)
})
