// Usual is what the form asks: the usual scenarios.
export type Usual = {
  product: string
  count: number
  every: number // seconds
  minutes: number
  ramp: number // seconds
  network: 'good' | 'mobile' | 'bad'
  storm: boolean
  commands: boolean
  p99: number // milliseconds
}

export const usual: Omit<Usual, 'product'> = { count: 100, every: 5, minutes: 2, ramp: 10, network: 'good', storm: false, commands: false, p99: 1000 }

const networks = {
  good: '',
  mobile: '\nnetwork: {delay: 60ms, jitter: 80ms, loss: 1%}\n',
  bad: '\nnetwork: {delay: 150ms, jitter: 200ms, loss: 3%, cutEvery: 2m}\n',
}

// textOf is the scenario of a form, in YAML as a person would write it.
export function textOf(u: Usual): string {
  const half = Math.round(u.minutes * 30)
  return `name: ${u.product}
duration: ${u.minutes}m
ramp: ${u.ramp}s

groups:
  - name: fleet
    product: ${u.product}
    count: ${u.count}
    report: {every: ${u.every}s, jitter: 20%}
${networks[u.network]}${u.storm ? `\nstorms:\n  - {at: ${half}s, share: 100%, within: 1s}\n\nreconnect: {min: 500ms, max: 10s}\n` : ''}${u.commands ? '\ncommands: {every: 3s}\n' : ''}
expect:
  connected: ${u.network === 'bad' ? '90%' : '100%'}
  answered: 100%
  lost: 0
  rejected: 0
  refused: 0
  p99: ${u.p99}ms
`
}
