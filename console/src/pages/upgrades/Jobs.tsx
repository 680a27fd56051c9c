import { useQuery } from '@tanstack/react-query'
import { Button, Empty, Table } from 'antd'
import { api, must, type Schemas } from '../../api/client'
import { useTexts } from '../../i18n/texts'
import { Trouble } from '../../parts/Trouble'
import { When } from '../../parts/When'
import { Bar, State } from './Bar'
import { Job } from './Job'
import { upgradeTexts } from './texts'

type Progress = Schemas['Progress']

// every is how often an upgrade that is not over is asked for.
export const every = 1500

export const over = (state: string | undefined) => state === 'COMPLETED' || state === 'CANCELED'

// Jobs are the jobs of a product, or one of them.
export function Jobs({ product, job, open }: { product: string; job: string; open: (id: string) => void }) {
  const t = useTexts(upgradeTexts)
  const found = useQuery({
    queryKey: ['jobs', product],
    queryFn: () => must(api.GET('/api/v1/products/{product}/ota/jobs', { params: { path: { product }, query: { limit: 200 } } })),
    refetchInterval: (q) => (q.state.data?.items?.some((j) => !over(j.state)) ? every : false),
    enabled: job === '',
  })
  if (job !== '') return <Job product={product} job={job} back={() => open('')} />
  return (
    <>
      <Trouble error={found.error} again={found.refetch} />
      <Table<Progress>
        rowKey="id"
        loading={found.isPending}
        dataSource={found.data?.items ?? []}
        pagination={{ hideOnSinglePage: true, pageSize: 50 }}
        scroll={{ x: 'max-content' }}
        locale={{ emptyText: <Empty description={t.noJobs} /> }}
        columns={[
          { title: t.job, dataIndex: 'id', render: (id: string) => <Button type="link" className="mono" style={{ padding: 0 }} onClick={() => open(id)}>{id}</Button> },
          { title: t.version, dataIndex: 'version' },
          { title: t.module, dataIndex: 'module' },
          { title: t.state, dataIndex: 'state', render: (s: string) => <State state={s} /> },
          { title: t.progress, key: 'progress', width: 240, render: (_, j) => <Bar states={j.states} /> },
          { title: t.made, dataIndex: 'createdAt', render: (at: string) => <When at={at} /> },
        ]}
      />
    </>
  )
}
