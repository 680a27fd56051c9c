import {
  ApartmentOutlined, AppstoreOutlined, AuditOutlined, BuildOutlined, CloudUploadOutlined, CodeOutlined, DashboardOutlined, FieldTimeOutlined,
  HddOutlined, LogoutOutlined, MenuOutlined, SettingOutlined, TeamOutlined, ToolOutlined, UserOutlined,
} from '@ant-design/icons'
import { Button, Drawer, Dropdown, Flex, Grid, Layout, Menu, Spin, theme } from 'antd'
import { useState } from 'react'
import { Link, Outlet, useLocation } from 'react-router'
import { useTexts } from '../i18n/texts'
import { Offline } from './Offline'
import { may, useMe, useSignOut } from './session'
import { SignIn } from './SignIn'
import { Switches } from './Switches'
import { appTexts } from './texts'
import { useFocusBack } from './useFocusBack'
import { useReachableTables } from './useReachableTables'

// Frame is what stands around every page: who is not signed in sees only the
// way in.
export function Frame() {
  return (
    <>
      <Offline />
      <Who />
    </>
  )
}

function Who() {
  const me = useMe()
  if (me === undefined) {
    return (
      <Flex align="center" justify="center" style={{ height: '100%' }}>
        <Spin size="large" />
      </Flex>
    )
  }
  return me === null ? <SignIn /> : <House />
}

function House() {
  const t = useTexts(appTexts)
  const me = useMe()
  const signOut = useSignOut()
  useReachableTables()
  useFocusBack()
  const wide = Grid.useBreakpoint().lg ?? true
  const [open, setOpen] = useState(false)
  const { token } = theme.useToken()
  return (
    <Layout style={{ minHeight: '100%' }}>
      <Layout.Header style={{ background: token.colorBgContainer, borderBottom: `1px solid ${token.colorBorderSecondary}`, padding: '0 16px', position: 'sticky', top: 0, zIndex: 10 }}>
        <Flex align="center" gap={12} style={{ height: '100%' }}>
          {!wide && <Button type="text" icon={<MenuOutlined />} aria-label={t.menu} onClick={() => setOpen(true)} />}
          <Link to="/" style={{ display: 'flex', alignItems: 'center', gap: 8, color: token.colorText, fontWeight: 600, fontSize: 18 }}>
            <img src="/matou.svg" alt="" width={28} height={28} />
            {t.name}
          </Link>
          <span style={{ flex: 1 }} />
          <Switches />
          <Dropdown trigger={['click']} menu={{ items: [{ key: 'account', icon: <UserOutlined />, label: <Link to="/account">{t.account}</Link> }, { key: 'out', icon: <LogoutOutlined />, label: t.signOut, onClick: () => signOut.mutate() }] }}>
            <Button type="text">{me?.name}</Button>
          </Dropdown>
        </Flex>
      </Layout.Header>
      <Layout>
        {wide ? (
          <Layout.Sider width={208} theme="light" style={{ borderInlineEnd: `1px solid ${token.colorBorderSecondary}` }}>
            <Navigation />
          </Layout.Sider>
        ) : (
          <Drawer open={open} onClose={() => setOpen(false)} placement="left" size={240} title={t.menu} styles={{ body: { padding: 0 } }}>
            <Navigation done={() => setOpen(false)} />
          </Drawer>
        )}
        <Layout.Content style={{ padding: wide ? 24 : 12, minWidth: 0 }}>
          <Outlet />
        </Layout.Content>
      </Layout>
    </Layout>
  )
}

function Navigation({ done }: { done?: () => void }) {
  const t = useTexts(appTexts)
  const me = useMe()
  const at = '/' + (useLocation().pathname.split('/')[1] ?? '')
  const item = (key: string, icon: React.ReactNode, label: string) => ({ key, icon, label: <Link to={key}>{label}</Link> })
  const items = [
    item('/', <DashboardOutlined />, t.overview),
    item('/products', <AppstoreOutlined />, t.products),
    item('/devices', <HddOutlined />, t.devices),
    item('/timeline', <FieldTimeOutlined />, t.timeline),
    item('/workshop', <ToolOutlined />, t.workshop),
    item('/bench', <CodeOutlined />, t.bench),
    item('/upgrades', <CloudUploadOutlined />, t.upgrades),
    item('/gateways', <ApartmentOutlined />, t.gateways),
    item('/factory', <BuildOutlined />, t.factory),
    ...(may(me, 'administrator') ? [item('/access', <TeamOutlined />, t.access), item('/audit', <AuditOutlined />, t.audit)] : []),
    item('/settings', <SettingOutlined />, t.settings),
  ]
  return <Menu mode="inline" selectedKeys={[at]} items={items} onClick={() => done?.()} style={{ borderInlineEnd: 0, paddingTop: 8 }} />
}
