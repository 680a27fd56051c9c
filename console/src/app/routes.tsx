import { createBrowserRouter, type RouteObject } from 'react-router'
import { Frame } from './Frame'
import { Failed } from './Failed'

// Each page is a chunk of its own, loaded when it is opened.
const page = (path: string, load: () => Promise<{ Page: React.ComponentType }>): RouteObject => ({
  path,
  lazy: async () => ({ Component: (await load()).Page }),
})

export const router = createBrowserRouter([
  {
    path: '/',
    element: <Frame />,
    errorElement: <Failed />,
    hydrateFallbackElement: <></>,
    children: [
      {
        errorElement: <Failed />,
        children: [
          { index: true, lazy: async () => ({ Component: (await import('../pages/overview')).Page }) },
          page('products', () => import('../pages/products')),
          page('products/:product', () => import('../pages/product')),
          page('devices', () => import('../pages/devices')),
          page('devices/:product/:device', () => import('../pages/device')),
          page('timeline', () => import('../pages/timeline')),
          page('workshop', () => import('../pages/workshop')),
          page('bench', () => import('../pages/bench')),
          page('upgrades', () => import('../pages/upgrades')),
          page('gateways', () => import('../pages/gateways')),
          page('factory', () => import('../pages/factory')),
          page('account', () => import('../pages/account')),
          page('access', () => import('../pages/access')),
          page('settings', () => import('../pages/settings')),
          page('audit', () => import('../pages/audit')),
          { path: '*', element: <Failed missing /> },
        ],
      },
    ],
  },
])
