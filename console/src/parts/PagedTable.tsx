import type { InfiniteData, UseInfiniteQueryResult } from '@tanstack/react-query'
import { Button, Empty, Flex, Table, type TableProps } from 'antd'
import { texts, useTexts } from '../i18n/texts'
import { Trouble } from './Trouble'

const pagedTexts = texts({ more: 'Show more' }, { more: '加载更多' })

type Page<T> = { items?: T[] | null }
type Props<T> = Pick<TableProps<T>, 'rowKey' | 'columns' | 'scroll'> & { found: UseInfiniteQueryResult<InfiniteData<Page<T>>, Error>; none: string }

// PagedTable shows rows that the server hands out page by page: those that have
// come, and a button for more. none is said where there are none.
export function PagedTable<T extends object>({ found, none, ...table }: Props<T>) {
  const t = useTexts(pagedTexts)
  return (
    <Flex vertical gap={12}>
      <Trouble error={found.error} again={found.refetch} />
      <Table<T>
        size="small"
        loading={found.isPending || found.isPlaceholderData}
        dataSource={found.data?.pages.flatMap((p) => p.items ?? []) ?? []}
        pagination={false}
        locale={{ emptyText: found.isSuccess ? <Empty image={Empty.PRESENTED_IMAGE_SIMPLE} description={none} /> : ' ' }}
        {...table}
      />
      {found.hasNextPage && <Button loading={found.isFetchingNextPage} onClick={() => found.fetchNextPage()} style={{ alignSelf: 'center' }}>{t.more}</Button>}
    </Flex>
  )
}
