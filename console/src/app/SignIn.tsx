import { LockOutlined, UserOutlined } from '@ant-design/icons'
import { Alert, Button, Card, Flex, Form, Input, Typography } from 'antd'
import { Problem } from '../api/client'
import { useTexts } from '../i18n/texts'
import { useSignIn } from './session'
import { Switches } from './Switches'
import { appTexts } from './texts'

export function SignIn() {
  const t = useTexts(appTexts)
  const signIn = useSignIn()
  const error = signIn.error
  return (
    <Flex vertical align="center" justify="center" gap={16} style={{ minHeight: '100%', padding: 16, boxSizing: 'border-box' }}>
      <Card style={{ width: '100%', maxWidth: 360 }}>
        <Flex vertical align="center" gap={8} style={{ marginBottom: 24 }}>
          <img src="/matou.svg" alt="" width={48} height={48} />
          <Typography.Title level={1} style={{ margin: 0, fontSize: 24 }}>
            {t.name}
          </Typography.Title>
        </Flex>
        <Form layout="vertical" requiredMark={false} initialValues={{ name: 'admin' }} onFinish={(v: { name: string; password: string }) => signIn.mutate(v)}>
          <Form.Item name="name" label={t.user} rules={[{ required: true }]}>
            <Input prefix={<UserOutlined />} autoComplete="username" />
          </Form.Item>
          <Form.Item name="password" label={t.password} rules={[{ required: true }]} extra={t.whereToFind}>
            <Input.Password prefix={<LockOutlined />} autoComplete="current-password" autoFocus />
          </Form.Item>
          {error && (
            <Form.Item>
              <Alert type="error" showIcon title={error instanceof Problem ? (error.status === 401 ? t.wrong : error.detail) : t.offline} />
            </Form.Item>
          )}
          <Button type="primary" htmlType="submit" block loading={signIn.isPending}>
            {t.signIn}
          </Button>
        </Form>
      </Card>
      <Switches />
    </Flex>
  )
}
