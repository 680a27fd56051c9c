import { CopyOutlined, DeleteOutlined, DownOutlined, ExclamationCircleOutlined, PlusOutlined, RightOutlined, UpOutlined } from '@ant-design/icons'
import { Button, Card, Checkbox, Flex, Form, Input, Typography } from 'antd'
import { useContext, useState } from 'react'
import { useTexts } from '../../../i18n/texts'
import { Field, Fields, Troubles, useTrouble } from './Field'
import { copyOf, moved } from './lists'
import { isSerious } from './problems'
import { TypeFields } from './TypeFields'
import { kindWord, modelTexts } from './texts'
import { freshParam, type Param } from './types'

type Props = { at: string; label: string; add: string; params: Param[]; change: (p: Param[]) => void; dialect: string }

// ParamList are the parameters of an event or a service, or the members of a
// struct: one is open at a time.
export function ParamList({ at, label, add, params, change, dialect }: Props) {
  const t = useTexts(modelTexts)
  const { list, tried, readOnly } = useContext(Troubles)
  const [open, setOpen] = useState<number>()
  const none = useTrouble(at)
  const wrong = (i: number) => list.some((x) => isSerious(x) && x.at.startsWith(`${at}.${i}.`) && (tried || x.what !== 'idMissing'))
  const put = (i: number, part: Partial<Param>) => change(params.map((p, j) => (i === j ? { ...p, ...part } : p)))
  const move = (i: number, to: number) => {
    change(moved(params, i, to))
    setOpen((was) => (was === i ? to : was === to ? i : was))
  }
  const insert = (i: number, p: Param) => {
    change(params.toSpliced(i, 0, p))
    setOpen(i)
  }
  return (
    <Form.Item label={label} style={{ marginBottom: 12 }} validateStatus={none ? 'warning' : ''} help={none && t.troubles[none.what]}>
      <Flex vertical gap={6} role="group" aria-label={label}>
        {params.map((p, i) => {
          const shown = open === i || (tried && wrong(i))
          const called = p.id || t.param(i + 1)
          return (
            <Card key={i} size="small" styles={{ body: { padding: '4px 8px' } }}>
              <Flex align="center" gap={2} wrap>
                <Button type="text" size="small" disabled={false} aria-expanded={shown} icon={shown ? <DownOutlined /> : <RightOutlined />} onClick={() => setOpen(shown ? undefined : i)} style={{ flex: 1, justifyContent: 'start', minWidth: 140, overflow: 'hidden' }}>
                  <span className="mono">{called}</span>
                  <Typography.Text type="secondary">{kindWord(p.type.kind, dialect)}</Typography.Text>
                  {wrong(i) && <Typography.Text type="danger"><ExclamationCircleOutlined /></Typography.Text>}
                </Button>
                {!readOnly && (
                  <Flex>
                    <Button type="text" size="small" icon={<UpOutlined />} aria-label={`${t.up} ${called}`} disabled={i === 0} onClick={() => move(i, i - 1)} />
                    <Button type="text" size="small" icon={<DownOutlined />} aria-label={`${t.down} ${called}`} disabled={i === params.length - 1} onClick={() => move(i, i + 1)} />
                    <Button type="text" size="small" icon={<CopyOutlined />} aria-label={`${t.duplicate} ${called}`} onClick={() => insert(i + 1, copyOf(p, params))} />
                    <Button type="text" size="small" icon={<DeleteOutlined />} aria-label={`${t.remove} ${called}`} onClick={() => { change(params.toSpliced(i, 1)); setOpen(undefined) }} />
                  </Flex>
                )}
              </Flex>
              {shown && (
                <div style={{ paddingTop: 8 }}>
                  <Fields>
                    <Field at={`${at}.${i}.id`} label={t.id}>
                      <Input className="mono" autoComplete="off" spellCheck={false} value={p.id} onChange={(e) => put(i, { id: e.target.value })} />
                    </Field>
                    <Field at={`${at}.${i}.name`} label={t.name}>
                      <Input value={p.name} onChange={(e) => put(i, { name: e.target.value })} />
                    </Field>
                  </Fields>
                  <TypeFields at={`${at}.${i}.type`} type={p.type} change={(type) => put(i, { type })} dialect={dialect} />
                  <Checkbox checked={p.required} onChange={(e) => put(i, { required: e.target.checked })} style={{ marginBottom: 8 }}>
                    {t.required}
                  </Checkbox>
                </div>
              )}
            </Card>
          )
        })}
        {readOnly && params.length === 0 && <Typography.Text type="secondary">{t.noParams}</Typography.Text>}
        {!readOnly && (
          <Button icon={<PlusOutlined />} size="small" style={{ alignSelf: 'start' }} onClick={() => insert(params.length, freshParam())}>
            {add}
          </Button>
        )}
      </Flex>
    </Form.Item>
  )
}
