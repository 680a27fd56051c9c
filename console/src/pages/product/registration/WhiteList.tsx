import { useInfiniteQuery, useMutation, useQueryClient } from '@tanstack/react-query'
import { Alert, App, Button, Card, Empty, Flex, Table, Tooltip, Typography } from 'antd'
import { useState } from 'react'
import { api, must } from '../../../api/client'
import { useTexts } from '../../../i18n/texts'
import { useRefusal } from '../../../parts/refusal'
import { Trouble } from '../../../parts/Trouble'
import { Typed } from '../../../parts/Typed'
import { ManyNames } from './ManyNames'
import { registrationTexts } from './texts'

// WhiteList are the names that may register where only they may.
export function WhiteList({ product, asked, able }: { product: string; asked: boolean; able: boolean }) {
  const t = useTexts(registrationTexts)
  const { message } = App.useApp()
  const cache = useQueryClient()
  const [chosen, setChosen] = useState<string[]>([])
  const [text, setText] = useState('')
  const [many, setMany] = useState<'add' | 'remove' | null>(null)
  const key = ['products', product, 'names']
  const found = useInfiniteQuery({
    queryKey: [...key, text],
    initialPageParam: '',
    queryFn: ({ pageParam }) => must(api.GET('/api/v1/products/{product}/registration/names', { params: { path: { product }, query: { limit: 100, text, ...(pageParam && { after: pageParam }) } } })),
    getNextPageParam: (last) => last.next || undefined,
    placeholderData: (old) => old,
  })
  const again = () => {
    setChosen([])
    void cache.invalidateQueries({ queryKey: key })
  }
  const take = useMutation({
    mutationFn: () => must(api.POST('/api/v1/products/{product}/registration/names/remove', { params: { path: { product } }, body: { names: chosen } })),
    onSuccess: ({ changed }) => {
      message.success(t.taken(changed))
      again()
    },
    onError: useRefusal(),
  })
  const rows = (found.data?.pages.flatMap((p) => p.items ?? []) ?? []).map((name) => ({ name }))
  return (
    <Card size="small" title={t.list}>
      <Flex vertical gap={12}>
        <Typography.Text type="secondary">{t.listHelp}</Typography.Text>
        {!asked && <Alert type="info" showIcon title={t.listOff} />}
        {asked && found.isSuccess && !found.isPlaceholderData && text === '' && rows.length === 0 && <Alert type="warning" showIcon title={t.listEmpty} />}
        <Flex gap={8} wrap>
          <Typed label={t.search} width={200} value={text} change={setText} />
          <Tooltip title={able ? undefined : t.role}><Button type="primary" disabled={!able} onClick={() => setMany('add')}>{t.add}</Button></Tooltip>
          <Button disabled={!able} onClick={() => setMany('remove')}>{t.remove}</Button>
          {chosen.length > 0 && <Button danger loading={take.isPending} onClick={() => take.mutate()}>{t.take(chosen.length)}</Button>}
        </Flex>
        <Trouble error={found.error} again={found.refetch} />
        <Table
          rowKey="name"
          size="small"
          loading={found.isPending || found.isPlaceholderData}
          dataSource={rows}
          pagination={false}
          locale={{ emptyText: <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={text ? t.noMatch : t.none} /> }}
          {...(able && { rowSelection: { selectedRowKeys: chosen, preserveSelectedRowKeys: true, onChange: (keys: React.Key[]) => setChosen(keys.map(String)) } })}
          columns={[{ title: t.name, dataIndex: 'name', render: (name: string) => <span className="mono">{name}</span> }]}
        />
        {found.hasNextPage && <Button loading={found.isFetchingNextPage} onClick={() => found.fetchNextPage()} style={{ alignSelf: 'center' }}>{t.more}</Button>}
      </Flex>
      {many && <ManyNames product={product} what={many} close={() => setMany(null)} done={again} />}
    </Card>
  )
}
