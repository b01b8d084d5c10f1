import { closest } from '../suggest.ts'
import type { CheckContext } from './context.ts'

/** Targets are origins; what routes name exists. */
export function checkUpstreams({ settings, names, report }: CheckContext): void {
  for (const [name, upstream] of Object.entries(settings.upstreams)) {
    upstream.targets.forEach((target, index) => {
      const fault = faultOf(target)
      if (fault) report.add('HR_CONFIG_TARGET', ['upstreams', name, 'targets', index], ...fault)
    })
    const { tls } = upstream
    if (tls && (tls.cert === undefined) !== (tls.key === undefined)) {
      const message = `a client certificate needs both: '${tls.cert === undefined ? 'cert' : 'key'}' is missing`
      report.add('HR_CONFIG_MISSING', ['upstreams', name, 'tls'], message)
    }
  }
  for (const [key, { to }] of Object.entries(settings.routes)) {
    if (names.upstreams.includes(to)) continue
    const known = names.upstreams.length === 0 ? 'there are none' : `there is ${names.upstreams.join(', ')}`
    report.add('HR_CONFIG_TARGET_UNKNOWN', ['routes', key, 'to'], `no upstream is named '${to}'; ${known}`, {
      suggestion: closest(to, names.upstreams),
    })
  }
}

function faultOf(target: string): [message: string, more?: { suggestion: string }] | undefined {
  if (target.startsWith('unix:')) {
    return target === 'unix:' ? ["expected the path of a socket after 'unix:'"] : undefined
  }
  if (!URL.canParse(target)) return [`'${target}' is no URL`]
  const { origin, username, password, pathname, search, hash } = new URL(target)
  if (username !== '' || password !== '') return ['a target holds no credentials: an upstream gets those of the client']
  if (pathname === '/' && search === '' && hash === '') return undefined
  return [`a target is an origin, without a path; a route's rewrite adds '${pathname}'`, { suggestion: `'${origin}'` }]
}
