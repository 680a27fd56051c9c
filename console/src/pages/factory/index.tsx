import { Flex, Typography } from 'antd'
import { useState } from 'react'
import { appTexts } from '../../app/texts'
import { useTexts } from '../../i18n/texts'
import { ProductPick, useProduct } from '../../parts/ProductPick'
import { Batch } from './Batch'
import { Batches } from './Batches'

// Page is what a factory needs of a product: batches of devices.
export function Page() {
  const frame = useTexts(appTexts)
  const [product, choose] = useProduct()
  const [batch, setBatch] = useState('')
  return (
    <>
      <Flex justify="space-between" align="center" gap={12} wrap style={{ marginBottom: 16 }}>
        <Typography.Title level={2} style={{ margin: 0 }}>{frame.factory}</Typography.Title>
        <ProductPick value={product} choose={(key) => { setBatch(''); choose(key) }} />
      </Flex>
      {product && (batch ? <Batch product={product} batch={batch} back={() => setBatch('')} /> : <Batches product={product} open={setBatch} />)}
    </>
  )
}
